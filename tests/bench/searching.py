"""Measures list, search, comparison and history in ClickHouse, as their callers wait for them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from clickhouse_driver import Client

from modeltrail.infra.clickhouse import make_reader
from modeltrail.infra.config import Settings
from modeltrail.sinks.queries.metric_history import metric_history
from modeltrail.sinks.queries.registry_versions import search_versions
from modeltrail.sinks.queries.runs import runs_by_id, search_runs, summaries
from tests.bench import bulk
from tests.bench.report import Report

REPETITIONS = 20
LIMIT = 50
#: What is asked in the nth repetition: never the same twice, so that no answer is remembered.
Question = Callable[[Client, int], Sequence[object] | Mapping[str, object]]

_RUN_SEARCHES: Mapping[str, Question] = {
    "list": lambda client, _: search_runs(client, limit=LIMIT),
    "experiment": lambda client, nth: search_runs(client, experiment_id=f"exp-{37 * nth:03d}"),
    "rare_text": lambda client, nth: search_runs(client, text=f"SEED={1_000_007 + 41_000 * nth}"),
    "common_text": lambda client, nth: search_runs(client, text=f"lr=0.{nth:03d}"),
    "absent_text": lambda client, nth: search_runs(client, text=f"nothing-{nth}") or [None],
    "rare_param": lambda client, nth: search_runs(client, param=("seed", str(1_000_003 + nth))),
    "common_param": lambda client, nth: search_runs(client, param=("lr", f"0.{nth:03d}1")),
    "tag": lambda client, nth: search_runs(client, tag=("team", f"team-{nth % 10}")),
    "failed": lambda client, nth: search_runs(client, status="FAILED", limit=LIMIT + nth),
    "lost": lambda client, nth: search_runs(client, status="LOST", limit=LIMIT + nth),
}
_VERSION_SEARCHES: Mapping[str, Question] = {
    "list": lambda client, _: search_versions(client, limit=LIMIT),
    "model": lambda client, nth: search_versions(client, model_id=f"model-{nth}"),
    "rare_text": lambda client, nth: search_versions(client, text=f'B{nth}-77"'),
    "common_text": lambda client, nth: search_versions(client, text=f"model-{nth}"),
    "alias": lambda client, nth: search_versions(client, alias="champion", limit=LIMIT + nth),
    "tag": lambda client, nth: search_versions(client, tag=("stage", f"s{nth}")),
}


def add_searches(settings: Settings, report: Report) -> None:
    """Measure on what `bulk.fill` left in the database and add the results."""
    client = make_reader(settings.clickhouse)
    compared = [bulk.run_id_of(number) for number in range(bulk.COMPARED_RUNS)]
    for name, questions in (
        ("search_1m_runs", _RUN_SEARCHES),
        ("search_100k_versions", _VERSION_SEARCHES),
    ):
        waits = {kind: _waits(client, question) for kind, question in questions.items()}
        _add(report, name, [wait for each in waits.values() for wait in each])
        for kind, each in waits.items():
            _add(report, f"{name}_{kind}", each)
    _add(
        report,
        "compare_100_runs",
        _waits(
            client, lambda client, _: runs_by_id(client, compared) or summaries(client, compared)
        ),
    )
    _add(
        report,
        "history_1m_steps",
        _waits(
            client,
            lambda client, nth: metric_history(client, bulk.HISTORY_RUN, most_points=2000 - nth),
        ),
    )
    client.disconnect()


def _compare(client: Client, run_ids: Sequence[str]) -> Sequence[object]:
    """What a comparison takes: the runs with their parameters, and every metric in numbers."""
    runs, metrics = runs_by_id(client, run_ids), summaries(client, run_ids)
    assert len(runs) == len(metrics) == bulk.COMPARED_RUNS
    return runs


def _history(client: Client, nth: int) -> Mapping[str, object]:
    return metric_history(client, bulk.HISTORY_RUN, most_points=2_000 - nth)


def _waits(client: Client, question: Question) -> list[float]:
    """Milliseconds of each repetition, from the call to the answer in Python."""
    waits = []
    for nth in range(REPETITIONS):
        started = time.perf_counter()
        answer = question(client, nth)
        waits.append((time.perf_counter() - started) * 1_000)
        assert answer, "a search that finds nothing measures nothing"
    return waits


def _add(report: Report, name: str, waits: Sequence[float]) -> None:
    quantiles = statistics.quantiles(waits, n=20)
    report.add(f"{name}_p50", quantiles[9], "ms")
    report.add(f"{name}_p95", quantiles[18], "ms")
