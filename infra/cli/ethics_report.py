"""Writes an assessment for people, as tables, or for programs, as one object."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from modeltrail.schemas.events import EthicsAssessed

_COLOURS = {"LOW": "green", "MEDIUM": "yellow", "HIGH": "bold red", "NOT_JUDGED": "dim"}
_WIDTH = 140
_SKIPPED = ("groups",)


def as_object(assessed: EthicsAssessed) -> dict[str, Any]:
    """The assessment as JSON can hold it, the report as an object."""
    return {
        "model_id": assessed.model_id,
        "version": assessed.version,
        "request_id": assessed.request_id.hex(),
        "data_sha256": assessed.data_sha256.hex(),
        "rows": assessed.rows,
        "bias_risk": assessed.bias_risk,
        "privacy_risk": assessed.privacy_risk,
        "transparency_score": assessed.transparency_score,
        "recommendations": [
            {
                "rule": each.rule,
                "text": each.text,
                "cites": each.cites,
                "value": each.value,
                "threshold": each.threshold,
            }
            for each in assessed.recommendations
        ],
        "not_judged": list(assessed.not_judged),
        "report": json.loads(assessed.report_json),
    }


def write_report(assessed: EthicsAssessed, output: TextIO) -> None:
    """Risks, groups, disparities, privacy, transparency, advice and what was not judged."""
    console = Console(file=output)
    if not console.is_terminal:
        console = Console(file=output, width=_WIDTH)
    for part in _parts(assessed, json.loads(assessed.report_json)):
        console.print(part, highlight=False)


def _parts(assessed: EthicsAssessed, report: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield _headline(assessed)
    for area in ("fairness", "latency", "coverage"):
        for attribute, found in sorted(report.get(area, {}).items()):
            if groups := _groups(f"{area} by {attribute}", found.get("groups", {})):
                yield groups
            yield from _figures("", found)
    yield from _figures("privacy", report.get("privacy", {}))
    yield from _transparency(report.get("transparency", {}))
    yield from _advice(assessed)
    for what in assessed.not_judged:
        yield Text(f"not judged: {what}", style="dim")


def _headline(assessed: EthicsAssessed) -> Text:
    line = Text(f"{assessed.model_id} {assessed.version}", style="bold")
    line.append(f" on {assessed.rows:,} rows: ", style="not bold")
    for name, risk in (("bias", assessed.bias_risk), ("privacy", assessed.privacy_risk)):
        line.append(f"{name} ", style="not bold")
        line.append(risk, style=_COLOURS.get(risk, "bold"))
        line.append(", ", style="not bold")
    line.append(f"transparency {assessed.transparency_score:.0%}", style="not bold")
    return line


def _groups(title: str, groups: Mapping[str, Any]) -> Table | None:
    if not groups:
        return None
    names = list(
        dict.fromkeys(
            name for figures in groups.values() for name, each in figures.items() if _is(each)
        )
    )
    table = _table(title)
    table.add_column("group")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for group, figures in groups.items():
        marked = f"{group} *" if figures.get("small") else group
        table.add_row(_plain(marked), *(_shown(figures.get(name)) for name in names))
    if any(figures.get("small") for figures in groups.values()):
        table.caption = "* a small group: its rates are uncertain"
        table.caption_justify = "left"
    return table


def _figures(title: str, part: Mapping[str, Any]) -> Iterator[Table]:
    rows = [(path, each) for path, each in _walk(part, "") if _is(each)]
    if not rows:
        return
    table = _table(title)
    for heading, side in (("figure", "left"), ("value", "right"), ("n", "right"), ("", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for path, each in rows:
        table.add_row(_plain(path), _shown(each), f"{each['n']:,}", _plain(each.get("note", "")))
    yield table


def _transparency(part: Mapping[str, Any]) -> Iterator[RenderableType]:
    items = part.get("items", {})
    if items:
        missing = [name for name, each in items.items() if not each["value"]]
        met = len(items) - len(missing)
        yield Text(f"transparency: {met} of {len(items)} items", style="bold")
        if missing:
            yield Text(f"  missing: {', '.join(missing)}")
    for name in ("importance", "occlusion"):
        yield from _figures(f"transparency, {name}", part.get(name, {}))
    for name, found in part.get("occlusion", {}).items():
        if "png_uri" in found:
            yield _plain(f"  {name}: {found['png_uri']}")


def _advice(assessed: EthicsAssessed) -> Iterator[Table]:
    if not assessed.recommendations:
        return
    table = _table("recommendations")
    for heading, side in (
        ("why", "left"),
        ("value", "right"),
        ("limit", "right"),
        ("what", "left"),
    ):
        table.add_column(heading, justify=side, overflow="fold")  # type: ignore[arg-type]
    for each in assessed.recommendations:
        table.add_row(
            _plain(each.cites), f"{each.value:.4g}", f"{each.threshold:.4g}", _plain(each.text)
        )
    yield table


def _walk(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, each in part.items():
        here = f"{path}.{name}" if path else name
        if _is(each):
            yield here, each
        elif isinstance(each, Mapping) and name not in _SKIPPED:
            yield from _walk(each, here)


def _is(each: Any) -> bool:
    return isinstance(each, Mapping) and "definition" in each


def _shown(figure: Any) -> str:
    if not _is(figure) or figure["value"] is None:
        return "-"
    value = figure["value"]
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
    if figure["interval"] is None:
        return shown
    low, high = figure["interval"]
    return f"{shown} ({low:.3g} to {high:.3g})"


def _table(title: str) -> Table:
    return Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _plain(text: str) -> Text:
    # What others wrote must not move the cursor.
    return Text("".join(each if each.isprintable() else " " for each in text))
