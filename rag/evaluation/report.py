"""An evaluation as tables and plots: Markdown for the terminal and for a file, charts as SVG files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np

from rag.evaluation.charts import Dot, curve_chart, dot_chart
from rag.evaluation.measures import Difference, Evaluation, compare, interval

IN_GROUPS = {
    "questions": ("recall@", "citation_", "answered", "declined"),
    "chunking": ("characters_",),
    "beir": ("ndcg@", "recall@", "mrr"),
}
"""Measures that are shown for each group of questions, by the kind of evaluation."""
TYPES = {"chunking": "corpus"}
"""What the type of a question is called, where it is something else."""
HEADLINE = {"questions": "recall@5", "chunking": "characters_recall@5", "beir": "ndcg@10"}
"""The measure that is plotted for each group of questions."""


def format_report(
    evaluation: Evaluation, against: Evaluation | None = None, charts: Mapping[str, str] | None = None
) -> str:
    """The evaluation as Markdown.

    Args:
        evaluation: What was measured.
        against: An earlier one; adds a column of differences.
        charts: Titles of charts, with where their files are; none for the terminal.

    Raises:
        SourceError: The two evaluations cannot be compared.
    """
    about = ", ".join(f"{name} {value}" for name, value in evaluation.settings.items())
    lines = ["# Evaluation", "", f"{len(evaluation.rows)} questions; {about}.", ""]
    lines += _summary(evaluation, compare(evaluation, against) if against else None)
    lines += _groups(evaluation, "type", TYPES.get(evaluation.kind, "type of question"))
    lines += _groups(evaluation, "split", "half")
    lines += _latency(evaluation)
    if curve := evaluation.risk_coverage():
        lines += ["", "## Risk and coverage", ""]
        lines += ["| threshold | answerable answered | unanswerable answered |", "|---|---|---|"]
        lines += [f"| {at:.2f} | {_share(yes)} | {_share(no)} |" for at, yes, no in curve]
    if charts:
        lines += ["", "## Plots"]
        lines += [line for title, place in charts.items() for line in ("", f"![{title}]({place})")]
    return "\n".join(lines) + "\n"


def write_report(evaluation: Evaluation, path: Path, against: Evaluation | None = None) -> list[Path]:
    """Write the report with its plots: `report.md`, and `report-measures.svg` and others beside it.

    Returns:
        All files that were written.

    Raises:
        SourceError: The two evaluations cannot be compared.
        OSError: A file cannot be written.
    """
    written, places = [path], {}
    for name, title, svg in _charts(evaluation, against):
        chart = path.with_name(f"{path.stem}-{name}.svg")
        chart.write_text(svg, encoding="utf-8")
        written.append(chart)
        places[title] = quote(chart.name)
    path.write_text(format_report(evaluation, against, places), encoding="utf-8")
    return written


def _summary(evaluation: Evaluation, differences: Mapping[str, Difference] | None) -> list[str]:
    lines = ["| measure | mean | 95 % interval | questions |" + (" change (95 %) |" if differences else "")]
    lines += ["|---|---|---|---|" + ("---|" if differences else "")]
    for name, value in evaluation.summary.items():
        values = evaluation.values(name)
        low, high = (_number(name, end) for end in interval(values))
        change = f" {_change(name, differences.get(name))} |" if differences else ""
        lines.append(f"| {name} | {_number(name, value)} | {low} to {high} | {len(values)} |{change}")
    return lines


def _groups(evaluation: Evaluation, column: str, called: str) -> list[str]:
    """A line for each group, unless there is only one."""
    groups = evaluation.by(column)
    if len(groups) < 2:
        return []
    prefixes = IN_GROUPS.get(evaluation.kind, ())
    shown = [name for name in evaluation.summary if name.startswith(prefixes)]
    lines = ["", f"## By {called}", "", f"| {called} | questions | {' | '.join(shown)} |"]
    lines.append("|---" * (len(shown) + 2) + "|")
    for group, found in groups.items():
        cells = (_number(name, found.summary[name]) if name in found.summary else "" for name in shown)
        lines.append(f"| {group} | {len(found.rows)} | {' | '.join(cells)} |")
    return lines


def _latency(evaluation: Evaluation) -> list[str]:
    names = [name for name in evaluation.summary if name.endswith("_ms")]
    lines = ["", "## Latency", "", "| | median ms | 95 % are faster than, ms |", "|---|---|---|"]
    for name in names:
        median, most = np.quantile(evaluation.values(name), (0.5, 0.95))
        lines.append(f"| {name.removesuffix('_ms')} | {median:.0f} | {most:.0f} |")
    return lines if names else []


def _charts(evaluation: Evaluation, against: Evaluation | None) -> Iterator[tuple[str, str, str]]:
    """Name, title and picture of each chart that there are figures for."""
    shares = [name for name in evaluation.summary if not name.endswith("_ms")]
    if shares:
        title = "Measures with 95 % intervals"
        dots = [_dot(name, evaluation.values(name)) for name in shares]
        yield "measures", title, dot_chart(title, "mean over the questions", dots)
    headline = HEADLINE.get(evaluation.kind, "")
    groups = {name: values for name, found in evaluation.by("type").items() if (values := found.values(headline))}
    if len(groups) > 1:
        title = f"{headline} by {TYPES.get(evaluation.kind, 'type of question')}"
        yield "types", title, dot_chart(title, headline, [_dot(name, values) for name, values in groups.items()])
    points = [(yes, no) for _, yes, no in evaluation.risk_coverage() if yes is not None and no is not None]
    if points:
        title = "Risk and coverage, at thresholds from 0 to 1"
        axes = ("answerable questions answered", "unanswerable questions answered")
        yield "abstention", title, curve_chart(title, *axes, points)
    found = {name: d for name, d in compare(evaluation, against).items() if name in shares} if against else {}
    if found:
        title = "Changes with 95 % intervals"
        dots = [Dot(name, d.mean, d.low, d.high) for name, d in found.items()]
        yield "changes", title, dot_chart(title, "new minus old", dots)


def _dot(label: str, values: list[float]) -> Dot:
    return Dot(label, float(np.mean(values)), *interval(values))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _number(name: str, value: float) -> str:
    """Milliseconds whole; shares of characters finer, since IoU is a small number."""
    return f"{value:.{_digits(name)}f}"


def _change(name: str, found: Difference | None) -> str:
    if found is None:
        return ""
    digits = _digits(name)
    return f"{found.mean:+.{digits}f} ({found.low:+.{digits}f} to {found.high:+.{digits}f})"


def _digits(name: str) -> int:
    return 0 if name.endswith("_ms") else 4 if name.startswith("characters_") else 3
