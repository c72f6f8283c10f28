"""A backtest under the rules that held gives the alerts that fired; under others, it says which."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

from modeltrail.infra.cli.backtest_table import BOTH, FIRED, WOULD_FIRE, Episode, episodes, rows
from modeltrail.processors.alerting.fold import AlertFold
from modeltrail.processors.backtest import Backtest, Source, time_mark, under
from modeltrail.processors.drift.fold import DriftFold
from modeltrail.processors.windows.merge import MergeFold
from modeltrail.processors.windows.partition import PartitionFold
from modeltrail.processors.windows.reading import Batch
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.batch import decode_batch
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import AlertState, Fact, InferenceMeasured
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Micros, ModelId, derived_event_id
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.topics import WINDOWS, key_of

PARTITIONS = 3
START_S = 1_767_225_600
#: An hour and a bit, as far as windows reach back, and the time that is looked at.
FROM_S = START_S + 75 * 60
TO_S = FROM_S + 20 * 60
SINCE, UNTIL = Micros(FROM_S * 1_000_000), Micros(TO_S * 1_000_000)
RULES = """
"*":
  rules:
    - {name: SILENT, statistic: NO_DATA, window: 1m}
centerface:
  rules:
    - {name: SLOW, metric: latency_ms, statistic: P95, window: 1m, above: 50, for_s: 20,
       resolve_threshold: 45}
    - {name: UNMASKED, metric: faces_unmasked, statistic: VALUE, above: 0}
    - {name: SLOW_OF_LATE, metric: latency_ms, statistic: MEAN, window: last_1000, above: 48}
"""
CODEC = Codec(MemorySchemaIds())


@dataclass(frozen=True, slots=True)
class Record:
    appended_ms: int
    fact: InferenceMeasured


def latency_at(seconds: int) -> float:
    """40 ms, but for three slow spells: before, across and within the time that is looked at."""
    slow = ((3_000, 3_400), (4_490, 4_620), (5_000, 5_200))
    return 80.0 if any(begin <= seconds < end for begin, end in slow) else 40.0 + seconds % 3


def log_of(partition: int) -> list[Record]:
    """Two models, one of which falls silent for a while; appends are up to a second behind."""
    example = example_fact(InferenceMeasured)
    unmeasured: dict[str, Any] = {
        field.name: None for field in fields(InferenceMeasured) if field.default is None
    }
    blank = replace(example, extra_names=(), extra_values=(), **unmeasured)
    return [
        Record(
            (START_S + seconds) * 1000,
            replace(
                blank,
                event_id=derived_event_id("measured", partition, seconds, model),
                model_id=ModelId(model),
                captured_at=Micros((START_S + seconds) * 1_000_000 - seconds * 7_919 % 1_000_000),
                frame=seconds,
                latency_ms=latency_at(seconds) if model == "centerface" else 10.0,
                faces_unmasked=int(seconds in (4_705, 5_305)),
            ),
        )
        for seconds in range(5 * partition, TO_S + 120 - START_S, 15)
        for model in ("centerface", "light")
        if model == "centerface" or not 4_600 <= seconds < 4_900
    ]


LOGS = [log_of(partition) for partition in range(PARTITIONS)]


def batches(records: Sequence[Record], first: int, size: int) -> Iterator[Batch]:
    for low in range(first, len(records), size):
        some = records[low : low + size]
        yield Batch(
            np.arange(low, low + len(some)),
            np.array([record.appended_ms for record in some]),
            decode_batch([CODEC.encode(record.fact) for record in some], CODEC),
        )


def rules(text: str, appended_ms: int) -> list[Appended]:
    return [
        Appended(0, offset, appended_ms, draft) for offset, draft in enumerate(parse_rules(text))
    ]


@pytest.fixture(scope="module")
def fired() -> set[Episode]:
    """The alerts of workers that read small fetches from the beginning, partition by partition."""
    measuring = [
        PartitionFold(partition, PARTITIONS, 0.0, 1, from_beginning=True)
        for partition in range(PARTITIONS)
    ]
    judging: list[tuple[MergeFold | AlertFold | DriftFold, ...]] = [
        (MergeFold(partition), AlertFold(partition), DriftFold(partition))
        for partition in range(PARTITIONS)
    ]
    for record in rules(RULES, START_S * 1000 - 60_000):
        for fold in measuring:
            fold.absorb_control(record)
        for folds in judging:
            for judge in folds:
                judge.absorb(record)
    alerts: list[AlertState] = []
    offsets = [0] * PARTITIONS
    for partition, records in enumerate(LOGS):
        for batch in batches(records, 0, 37):
            waiting: deque[Fact] = deque(measuring[partition].absorb(batch))
            while waiting:
                fact = waiting.popleft()
                if isinstance(fact, AlertState):
                    alerts.append(fact)
                if not isinstance(fact, WINDOWS.facts):
                    continue
                at = getattr(fact, "partition", None)
                if at is None:
                    at = partition_of(key_of(getattr(fact, "model_id", "")), PARTITIONS)
                record = Appended(at, offsets[at], 0, fact)
                offsets[at] += 1
                for judge in judging[at]:
                    waiting.extend(judge.absorb(record))
    return episodes(alerts, SINCE, UNTIL)


def replayed(text: str, control: Sequence[Appended] = ()) -> set[Episode]:
    """What a backtest finds that begins 70 minutes before the time that is looked at."""
    start_ms, end_ms = (FROM_S - 70 * 60 - 31) * 1000, (TO_S + 31) * 1000
    sources = {}
    for partition, records in enumerate(LOGS):
        first = sum(record.appended_ms < start_ms for record in records)
        kept = [record for record in records if record.appended_ms <= end_ms]
        assert first
        sources[partition] = Source(
            [
                time_mark(first - 1, start_ms),
                *batches(kept, first, 400),
                time_mark(len(kept), end_ms),
            ],
            from_beginning=False,
        )
    played = Backtest(sources, under(parse_rules(text), control), 0.0, 1)
    alerts = [fact for _, facts in played.run() for fact in facts if isinstance(fact, AlertState)]
    return episodes(alerts, SINCE, UNTIL)


@pytest.fixture(scope="module")
def under_current_rules() -> set[Episode]:
    return replayed(RULES)


def test_the_current_rules_give_exactly_the_alerts_that_fired(
    fired: set[Episode], under_current_rules: set[Episode]
) -> None:
    assert {(episode.rule, episode.resolved_at is None) for episode in fired} == {
        ("SLOW", False),
        ("SILENT", False),
        ("UNMASKED", False),
        ("SLOW_OF_LATE", True),
    }
    assert under_current_rules == fired
    assert {row[0] for row in rows(fired, under_current_rules)} == {BOTH}


def test_other_rules_tell_which_alerts_there_would_be_and_which_would_not(
    fired: set[Episode],
) -> None:
    # given a rule that is slower, and a file that says nothing of the silence of all models
    of_model = RULES[RULES.index("centerface:") :].replace("for_s: 20", "for_s: 210")
    held = rules(RULES, START_S * 1000 - 60_000)

    found = rows(fired, replayed(of_model, held))

    # then the slow spell of 200 s is raised later, that of 130 s is not, and what holds, holds
    slow = [row[0] for row in found if row[2] == "SLOW"]
    assert sorted(slow) == [FIRED, FIRED, WOULD_FIRE]
    assert {row[0] for row in found if row[2] != "SLOW"} == {BOTH}
    assert "SILENT" in {row[2] for row in found}
