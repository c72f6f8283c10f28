"""Writes the rows of a query as a table, JSON or CSV."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

Rows = Sequence[tuple[Any, ...]]


def write_rows(form: str, names: Sequence[str], rows: Rows, output: TextIO) -> None:
    """Rows as `form` says: table, json or csv."""
    {"table": write_table, "json": write_json, "csv": write_csv}[form](names, rows, output)


def write_json(names: Sequence[str], rows: Rows, output: TextIO) -> None:
    """A JSON list with an object per row; times in ISO 8601, NaN and infinities as null."""
    objects = [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in rows]
    json.dump(objects, output, indent=2, ensure_ascii=False, allow_nan=False)
    output.write("\n")


def write_object(value: Mapping[str, Any], output: TextIO) -> None:
    """One JSON object of what `plain` gives."""
    json.dump(value, output, indent=2, ensure_ascii=False, allow_nan=False)
    output.write("\n")


def write_csv(names: Sequence[str], rows: Rows, output: TextIO) -> None:
    """CSV with a heading (RFC 4180); NULL is empty, arrays and maps are JSON."""
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)


def write_table(names: Sequence[str], rows: Rows, output: TextIO) -> None:
    """A table for people, as wide as it needs to be where the output is not a terminal."""
    console = Console(file=output)
    if not console.is_terminal:
        console = Console(file=output, width=10_000)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(names):
        numeric = bool(rows) and all(_is_number(row[index]) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row))
    console.print(table)
    console.print(f"{len(rows)} row{'' if len(rows) == 1 else 's'}", highlight=False)


def plain(value: Any) -> Any:
    """What JSON can hold: ISO times, null for NaN, text for what has no counterpart."""
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)


def _cell(value: Any) -> Any:
    value = plain(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"
    if isinstance(value, float):
        return str(value)
    # What others wrote must not move the cursor.
    text = str(_cell(value))
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
