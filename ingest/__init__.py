"""Read comments into the index."""

from ingest.pipeline import forget, ingest
from ingest.report import IngestReport, Progress
from ingest.sources.base import Problem

__all__ = ["IngestReport", "Problem", "Progress", "forget", "ingest"]
