"""Live import from LessWrong, the Alignment Forum, the EA Forum and other sites that run ForumMagnum.

Only when asked to, and only from the site that was named: nothing else in the project uses the internet.
"""

from ingest.forums.client import ForumClient
from ingest.forums.fetching import FetchReport, fetch_post, fetch_user
from ingest.forums.sites import SITES, Site, named_site

__all__ = ["SITES", "FetchReport", "ForumClient", "Site", "fetch_post", "fetch_user", "named_site"]
