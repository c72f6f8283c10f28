"""Answers which runs there are: listed, found by text, parameter or tag, or summed up."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from clickhouse_driver import Client

from modeltrail.sinks.queries.narrowing import newest


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as it is now; fields as in the view `experiments`."""

    run_id: str
    experiment_id: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    last_seen_at: datetime
    config_json: str
    params: dict[str, str]
    parent_run_id: str | None
    started_by: str
    detail: str
    artifacts: list[str]
    tags: dict[str, str]
    environment_json: str
    heartbeat_s: float
    resumptions: int


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric of a run in numbers; steps are null where only final values were logged."""

    name: str
    points: int
    last_step: int | None
    final: float
    minimum: float
    min_step: int | None
    maximum: float
    max_step: int | None
    mean: float


_RUN = ", ".join(field.name for field in fields(RunRow))
_SUMMARY = ", ".join(field.name for field in fields(MetricSummary))
_CANDIDATES = """
SELECT run_id
FROM run_rows
WHERE event_type = 'RunStarted' {conditions}
ORDER BY appended_at DESC, run_id
LIMIT %(most)s OFFSET %(offset)s
"""
_CONFIRMED = """
SELECT {columns}
FROM experiments
WHERE run_id IN %(run_ids)s {conditions}
ORDER BY appended_at DESC, run_id
"""
_SUMMARIES = """
SELECT run_id, {columns}
FROM experiment_metric_summary
WHERE run_id IN %(run_ids)s
ORDER BY run_id, name
"""
_OPEN = ("RUNNING", "LOST")
# Runs are compared by a hash: a set of a million numbers is made several times as fast as one of
# ids. Of a hundred open runs and a million ended ones two share it once in 10^11 times.


@dataclass(frozen=True, slots=True)
class _Condition:
    """What some fact of a candidate says, and what the run has to be in the end."""

    of_a_fact: str
    of_the_run: str


_OF_EXPERIMENT = _Condition(
    "AND experiment_id = %(experiment_id)s", "AND experiment_id = %(experiment_id)s"
)
_OF_TEXT = _Condition(
    """AND (position(search_text, lowerUTF8(%(text)s)) > 0 OR cityHash64(run_id) IN (
        SELECT cityHash64(run_id) FROM run_rows
        WHERE event_type IN ('ParamsLogged', 'TagSet')
        AND position(search_text, lowerUTF8(%(text)s)) > 0
    ))""",
    """AND arrayExists(
        line -> position(lowerUTF8(line), lowerUTF8(%(text)s)) > 0,
        arrayConcat(
            [run_id, experiment_id],
            arrayMap((name, value) -> concat(name, '=', value), mapKeys(params), mapValues(params)),
            arrayMap((name, value) -> concat(name, '=', value), mapKeys(tags), mapValues(tags))
        )
    )""",
)
# A number has one form in the table, whichever it was given in: 1e-05 or 0.00001.
_OF_PARAM = _Condition(
    """AND (hasAny(param_hashes, [
        cityHash64(%(param_name)s, %(param_value)s),
        cityHash64(%(param_name)s, JSONExtractRaw(%(param_json)s, 'value'))
    ]) OR cityHash64(run_id) IN (
        SELECT cityHash64(run_id) FROM run_rows
        WHERE event_type = 'ParamsLogged' AND hasAny(param_hashes, [
            cityHash64(%(param_name)s, %(param_value)s),
            cityHash64(%(param_name)s, JSONExtractRaw(%(param_json)s, 'value'))
        ])
    ))""",
    """AND mapContains(params, %(param_name)s)
    AND params[%(param_name)s] IN (%(param_value)s, JSONExtractRaw(%(param_json)s, 'value'))""",
)
_OF_TAG = _Condition(
    """AND cityHash64(run_id) IN (
        SELECT cityHash64(run_id) FROM run_rows WHERE event_type = 'TagSet' AND name = %(tag_name)s
    )""",
    "AND mapContains(tags, %(tag_name)s)",
)
_OF_TAG_VALUE = _Condition(
    """AND cityHash64(run_id) IN (
        SELECT cityHash64(run_id) FROM run_rows
        WHERE event_type = 'TagSet' AND name = %(tag_name)s AND value = %(tag_value)s
    )""",
    "AND mapContains(tags, %(tag_name)s) AND tags[%(tag_name)s] = %(tag_value)s",
)
_OF_OPEN = _Condition(
    """AND cityHash64(run_id) NOT IN (
        SELECT cityHash64(run_id) FROM run_rows WHERE event_type = 'RunEnded'
    )""",
    "AND status = %(status)s",
)
_OF_ENDED = _Condition(
    """AND cityHash64(run_id) IN (
        SELECT cityHash64(run_id) FROM run_rows
        WHERE event_type = 'RunEnded' AND status = %(status)s
    )""",
    "AND status = %(status)s",
)


def search_runs(
    client: Client,
    *,
    experiment_id: str | None = None,
    status: str | None = None,
    text: str = "",
    param: tuple[str, str] | None = None,
    tag: tuple[str, str | None] | None = None,
    limit: int = 50,
) -> list[RunRow]:
    """The runs that meet every condition given, newest first.

    Args:
        client: of an account that may read; its current database is asked.
        experiment_id: runs of this experiment only.
        status: RUNNING, LOST, FINISHED, FAILED or KILLED.
        text: part of the run id, experiment id, `name=value` of a parameter or tag, in any case.
        param: name (`optimizer.lr` for a nested one) and value, as `params` of the view has it.
        tag: name and value of a tag; value None: any.
        limit: most rows.
    """
    wanted = [
        (experiment_id is not None, _OF_EXPERIMENT),
        (status is not None, _OF_OPEN if status in _OPEN else _OF_ENDED),
        (bool(text), _OF_TEXT),
        (param is not None, _OF_PARAM),
        (tag is not None, _OF_TAG if tag and tag[1] is None else _OF_TAG_VALUE),
    ]
    conditions = [condition for is_wanted, condition in wanted if is_wanted]
    values = {
        "experiment_id": experiment_id,
        "status": status,
        "text": text,
        "param_name": param[0] if param else None,
        "param_value": param[1] if param else None,
        "param_json": f'{{"value":{param[1]}}}' if param else None,
        "tag_name": tag[0] if tag else None,
        "tag_value": tag[1] if tag else None,
    }
    of_a_fact = _CANDIDATES.format(conditions=" ".join(each.of_a_fact for each in conditions))
    of_the_run = _CONFIRMED.format(
        columns=_RUN, conditions=" ".join(each.of_the_run for each in conditions)
    )

    def candidates(offset: int, most: int) -> list[str]:
        rows = client.execute(of_a_fact, {**values, "offset": offset, "most": most})
        return [run_id for (run_id,) in rows]

    def confirmed(run_ids: Sequence[str]) -> list[RunRow]:
        rows = client.execute(of_the_run, {**values, "run_ids": tuple(run_ids)})
        return [RunRow(*row) for row in rows]

    return newest(candidates, confirmed, limit)


def runs_by_id(client: Client, run_ids: Sequence[str]) -> list[RunRow]:
    """The runs among `run_ids` that are known, in the order asked."""
    if not run_ids:
        return []
    rows = client.execute(
        _CONFIRMED.format(columns=_RUN, conditions=""), {"run_ids": tuple(set(run_ids))}
    )
    found = {row[0]: RunRow(*row) for row in rows}
    return [found[run_id] for run_id in run_ids if run_id in found]


def summaries(client: Client, run_ids: Sequence[str]) -> dict[str, list[MetricSummary]]:
    """The metrics of each run by name; a run without metrics is not in the answer."""
    found: dict[str, list[MetricSummary]] = {}
    if not run_ids:
        return found
    for run_id, *row in client.execute(
        _SUMMARIES.format(columns=_SUMMARY), {"run_ids": tuple(set(run_ids))}
    ):
        found.setdefault(run_id, []).append(MetricSummary(*row))
    return found
