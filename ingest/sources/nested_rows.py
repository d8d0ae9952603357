"""Where the rows lie in a JSON value that is none itself: in arrays, in objects by their ids, in columns as pandas has.

What a row is, the caller says. Each comes with the key that it stands under, if that may be its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any, NamedTuple

INSIDE = ("comments", "answers", "replies", "children")
"""Columns that may hold rows: what answers this one."""
ARRAYS = {
    (),
    *((name,) for name in ("comments", "posts", "rows", "results", "items", "hits", "data", "messages", "records")),
    *(("data", name) for name in ("children", "comments", "posts")),
    *(("data", name, "results") for name in ("comments", "posts")),
}
"""Where an object may hold its rows, in small letters: as Reddit's listings, Hacker News' hits, GraphQL's results and the
collections of a database ("Comments") do."""
DEEPEST = 4
"""Levels of objects that are searched for rows under names that nobody knows."""


class Nested(NamedTuple):
    """A row, and the key of the object that it was found under."""

    row: Mapping[str, Any]
    key: str | None = None


def nested_rows(
    values: Mapping[str, Any],
    arrays: Set[tuple[str, ...]],
    text_columns: Set[str],
    is_row: Callable[[Mapping[str, Any]], bool],
) -> list[Nested]:
    """Find the rows inside an object, in its order.

    Args:
        values: What is no row itself.
        arrays: Names under which they may lie, in small letters; nothing else is searched if these are not `ARRAYS`.
        text_columns: Names that the column of the text may have.
        is_row: Whether an object has the columns of a row.
    """
    if names_columns(values):
        return list(_from_columns(values, text_columns))
    paths = [path for path in sorted(arrays) if _is_array_of_objects(_at(values, path))]
    # Replies alone are read together with what says where they stand.
    if paths and all(path[0] in INSIDE for path in paths):
        return []
    if paths:
        return [Nested(row) for path in paths for row in _at(values, path)]
    if arrays is ARRAYS:
        return list(_from_columns(values, text_columns)) or list(_anywhere(values, is_row))
    return [nested for path in sorted(arrays) if path for nested in _by_key(_at(values, path), is_row)]


def longest_array(values: Mapping[str, Any]) -> tuple[str, list[Mapping[str, Any]]] | None:
    """The longest list of objects inside an object, after where it lies, with dots."""
    found: list[tuple[int, str, list[Mapping[str, Any]]]] = []
    waiting = list(values.items())
    while waiting:
        path, value = waiting.pop()
        # Under such names there are links and counters.
        if path.rpartition(".")[2].startswith("_"):
            continue
        if isinstance(value, Mapping) and path.count(".") < DEEPEST:
            waiting += [(f"{path}.{name}", inner) for name, inner in value.items() if "." not in name]
        elif _is_array_of_objects(value) and path.count(".") <= DEEPEST:
            found.append((len(value), path, value))
    return max(found, key=lambda array: array[:2])[1:] if found else None


def names_columns(values: Any) -> bool:
    """Whether an object names the columns of its rows, which are lists, as pandas does with `orient="split"`."""
    if not isinstance(values, Mapping) or not isinstance(values.get("data"), list):
        return False
    names = values.get("columns")
    return isinstance(names, list) and bool(names) and all(isinstance(name, str) for name in names)


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        keys = values if isinstance(values, Mapping) else ()
        values = next((values[key] for key in keys if key.lower() == part), None)
    return values


def _is_array_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _anywhere(values: Any, is_row: Callable[[Mapping[str, Any]], bool], levels: int = DEEPEST) -> Iterator[Nested]:
    """Rows under names that nobody knows: what mostly consists of rows is taken, everything else searched."""
    if _is_array_of_objects(values):
        if _most(values, is_row):
            yield from map(Nested, values)
        return
    by_key = list(_by_key(values, is_row))
    yield from by_key
    if isinstance(values, Mapping) and not by_key and levels:
        for value in values.values():
            yield from _anywhere(value, is_row, levels - 1)


def _by_key(values: Any, is_row: Callable[[Mapping[str, Any]], bool]) -> Iterator[Nested]:
    """The values of an object that holds rows and nothing else; keys that only count them are no ids."""
    if not isinstance(values, Mapping) or not all(
        value is None or isinstance(value, Mapping) for value in values.values()
    ):
        return
    rows = {key: row for key, row in values.items() if row is not None}
    if _most(list(rows.values()), is_row):
        counted = _are_positions(values)
        yield from (Nested(row, None if counted else key) for key, row in rows.items())


def _most(rows: list[Mapping[str, Any]], is_row: Callable[[Mapping[str, Any]], bool]) -> bool:
    return 2 * sum(map(is_row, rows)) > len(rows)


def _from_columns(values: Mapping[str, Any], text_columns: Set[str]) -> Iterator[Nested]:
    """A table as pandas writes it: with the names of its columns apart ("split"), or each column an object."""
    if names_columns(values):
        rows, index = values["data"], values.get("index")
        keys = index if isinstance(index, list) and len(index) == len(rows) else range(len(rows))
        counted = _are_positions(keys)
        for key, cells in zip(keys, rows, strict=True):
            yield Nested(dict(zip(values["columns"], cells, strict=False)), None if counted else str(key))
        return
    texts = next((values[name] for name in text_columns if isinstance(values.get(name), Mapping)), None)
    if texts and all(isinstance(column, Mapping) and column.keys() == texts.keys() for column in values.values()):
        counted = _are_positions(texts)
        # An object in the place of one text is no column.
        if counted or len(values) > 1:
            for key in texts:
                row = {name: column[key] for name, column in values.items()}
                yield Nested(row, None if counted else key)


def _are_positions(keys: Any) -> bool:
    """Whether they only number the rows, so that another would have the same number when one is gone."""
    return [str(key) for key in keys] == [str(number) for number in range(len(keys))]
