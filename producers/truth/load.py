"""Appends a CSV of ground truth to the log: all of it is checked before any of it is sent."""

from collections.abc import Callable
from pathlib import Path

from modeltrail.infra.clock import Clock
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.truth.errors import TruthFileInvalid
from modeltrail.producers.truth.rows import BadLine, TruthRow, read_rows
from modeltrail.schemas.events import GroundTruthObserved
from modeltrail.schemas.ids import Micros, check_id, derived_event_id
from modeltrail.schemas.topics import INFERENCE, key_of

_MOST_SHOWN = 20


def load_truth(
    path: Path,
    source: str,
    appender: Appender,
    clock: Clock,
    on_checked: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None,
) -> int:
    """Check the whole file, then append a fact a row; how many there were.

    Loading a file twice appends facts with the same ids: tables hold them once, but realised
    accuracy counts a truth each time that it comes. Memory: about 100 bytes a row, to find frames
    that are there twice.

    Args:
        path: a CSV with a heading: node_id, session_id, frame, model_id and a column a measure;
            an empty cell says nothing about its measure.
        source: where the truth comes from, such as a team of annotators; may be empty.
        appender: sends the facts.
        clock: says when the truth was observed: now.
        on_checked: called with the number of rows before the first is sent; what it gives is called
            with the number of rows sent since it was called last.

    Raises:
        TruthFileInvalid: the file is wrong; nothing was appended.
        InvalidFact: `source` may not name anything.
        Unavailable: Kafka does not answer; what it took already would count again.
    """
    if source:
        check_id("source", source)
    count = _check(path)
    advance = on_checked(count)
    try:
        for line, row in read_rows(path):
            if isinstance(row, BadLine):
                raise TruthFileInvalid(f"{path} line {line} changed while it was loaded: try again")
            fact = truth_of(row, source, clock.now_us())
            appender.put(INFERENCE, key_of(row.model_id, row.node_id), fact)
            advance(1)
        appender.finish()
    except Unavailable as error:
        raise Unavailable(
            f"{error}. {appender.acknowledged} of {count} rows were taken; load the file again, "
            "and realised accuracy counts those twice"
        ) from error
    return count


def truth_of(row: TruthRow, source: str, now_us: int) -> GroundTruthObserved:
    """The fact of a row; its id follows from what it says, not from when it was loaded."""
    event_id = derived_event_id(
        GroundTruthObserved.record,
        row.node_id,
        row.session_id,
        row.frame,
        row.model_id,
        source,
        *(
            part
            for name, value in zip(row.names, row.values, strict=True)
            for part in (name, value.hex())
        ),
    )
    return GroundTruthObserved(
        event_id=event_id,
        occurred_at=Micros(now_us),
        node_id=row.node_id,
        session_id=row.session_id,
        frame=row.frame,
        model_id=row.model_id,
        names=row.names,
        values=row.values,
        source=source,
    )


def _check(path: Path) -> int:
    bad: list[BadLine] = []
    seen: dict[bytes, int] = {}
    for line, row in read_rows(path):
        if isinstance(row, BadLine):
            bad.append(row)
        elif (first := seen.setdefault(row.about, line)) != line:
            bad.append(BadLine(line, f"the same frame, node, session and model as line {first}"))
    if bad:
        shown = [f"  line {each.line}: {each.reason}" for each in bad[:_MOST_SHOWN]]
        if len(bad) > _MOST_SHOWN:
            shown.append(f"  and {len(bad) - _MOST_SHOWN} more")
        raise TruthFileInvalid(
            "\n".join([f"{path} has {len(bad)} bad lines, nothing was appended:", *shown])
        )
    if not seen:
        raise TruthFileInvalid(f"{path} has no rows: add some below the heading")
    return len(seen)
