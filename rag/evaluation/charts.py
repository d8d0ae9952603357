"""Charts as SVG: two plain kinds that show alike in browsers, on code hosts and in print.

Every value is in the tables of the report as well; the charts are for seeing at a glance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
_LEFT, _RIGHT, _TOP, _BOTTOM, _ROW = 190, 20, 44, 48, 24
_INK, _GRID, _MARK = "#222222", "#dddddd", "#1f6feb"


@dataclass(frozen=True, slots=True)
class Dot:
    """A value with its interval."""

    label: str
    value: float
    low: float
    high: float


def dot_chart(title: str, axis: str, dots: Sequence[Dot]) -> str:
    """A row for each value, with its interval as a line. The axis holds 0 and all intervals.

    Args:
        title: Stands above, and is what a screen reader says.
        axis: What the values are.
        dots: At least one.
    """
    low, high = min(0.0, *(dot.low for dot in dots)), max(0.0, *(dot.high for dot in dots))
    ticks = nice_ticks(low, high)
    height = _TOP + _ROW * len(dots) + _BOTTOM
    x = _scale(ticks, _LEFT, WIDTH - _RIGHT)
    parts = [_text(x(tick), height - 28, f"{tick:g}", "middle") for tick in ticks]
    parts += [_line(x(tick), _TOP, x(tick), height - _BOTTOM, _INK if tick == 0 else _GRID) for tick in ticks]
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, height - 8, axis, "middle"))
    for number, dot in enumerate(dots):
        y = _TOP + _ROW * (number + 0.5)
        parts.append(_text(_LEFT - 10, y + 4, dot.label, "end"))
        parts.append(_line(x(dot.low), y, x(dot.high), y, _MARK, 2))
        parts.append(f'<circle cx="{x(dot.value):.1f}" cy="{y:.1f}" r="4" fill="{_MARK}"/>')
    return _svg(title, height, parts)


def curve_chart(title: str, x_axis: str, y_axis: str, points: Sequence[tuple[float, float]]) -> str:
    """A curve in the unit square.

    Args:
        title: Stands above, and is what a screen reader says.
        x_axis: What the first numbers are.
        y_axis: What the second numbers are.
        points: In the order in which they are joined, all between 0 and 1.
    """
    height, left = 420, 70
    ticks = nice_ticks(0.0, 1.0)
    x, y = _scale(ticks, left, WIDTH - _RIGHT), _scale(ticks, height - _BOTTOM, _TOP)
    parts = [_line(x(tick), y(0), x(tick), y(1), _GRID) for tick in ticks]
    parts += [_line(x(0), y(tick), x(1), y(tick), _GRID) for tick in ticks]
    parts += [_text(x(tick), y(0) + 18, f"{tick:g}", "middle") for tick in ticks]
    parts += [_text(left - 8, y(tick) + 4, f"{tick:g}", "end") for tick in ticks]
    parts.append(_text((x(0) + x(1)) / 2, height - 8, x_axis, "middle"))
    middle = (y(0) + y(1)) / 2
    parts.append(f'<g transform="rotate(-90 18 {middle:.1f})">{_text(18, middle, y_axis, "middle")}</g>')
    joined = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
    parts.append(f'<polyline points="{joined}" fill="none" stroke="{_MARK}" stroke-width="2"/>')
    parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{_MARK}"/>' for a, b in points]
    return _svg(title, height, parts)


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers that reach over a range: at most seven, 1, 2 or 5 times a power of ten apart."""
    span = (high - low) or 1.0
    step = next(step for step in _steps() if span / step <= 5)
    first, last = int(low // step), -int(-high // step)
    return [round(number * step, 12) for number in range(first, max(last, first + 1) + 1)]


def _steps() -> Iterator[float]:
    for power in range(-9, 12):
        yield from (float(f"{digit}e{power}") for digit in (1, 2, 5))


def _scale(ticks: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - start)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    """The whole picture, on white: dark pages show it as it is."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
            f'font-family="sans-serif" font-size="13" fill="{_INK}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="{WIDTH / 2:.0f}" y="24" text-anchor="middle" font-size="15" font-weight="bold">{escape(title)}</text>',
            *parts,
            "</svg>\n",
        ]
    )
