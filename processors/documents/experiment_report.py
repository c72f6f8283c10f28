"""Folds the log of an experiment into its report: setup, results, what follows from them."""

from collections.abc import Iterable, Sequence
from typing import cast

from modeltrail.processors.documents.citing import Citations, Cited, moment
from modeltrail.processors.documents.conclusions import CONCLUSION, NEXT_STEP, drawn
from modeltrail.processors.documents.document import Curve, Document, Figure
from modeltrail.processors.documents.experiment_dossier import Run, fold_experiment
from modeltrail.processors.documents.experiment_setup import (
    artifacts,
    configuration,
    differences,
    setup,
)
from modeltrail.processors.documents.findings import (
    Finding,
    best_run,
    findings,
    metrics_of,
    repeats_of,
)
from modeltrail.processors.documents.tables import NONE, between, code, number, table, text
from modeltrail.schemas.events import RunEnded
from modeltrail.schemas.ids import ExperimentId, Micros

#: More metrics, or more runs in one drawing, help nobody.
MOST_METRICS = 12
MOST_CURVES = 10
MOST_NEXT_STEPS = 20
MOST_MARKS = 10


def experiment_report(
    experiment_id: ExperimentId, facts: Iterable[Cited], as_of: Micros
) -> Document:
    """The report of an experiment.

    Args:
        experiment_id: which experiment.
        facts: of the topic `experiments`, appended by then, each run's in the order of the log.
        as_of: the moment of the log that it tells of, microseconds since 1970, UTC.
    """
    runs = fold_experiment(experiment_id, facts)
    found = list(findings(runs))
    metrics = metrics_of(runs)[:MOST_METRICS]
    cite = Citations()
    parts = {
        "setup": setup(runs, cite),
        "configuration": configuration(runs, cite),
        "differences": differences(runs, cite),
        "results": _results(runs, metrics, cite),
        "repeats": _repeats(runs, metrics, cite),
        "best": _best(runs, metrics, cite),
        "artifacts": artifacts(runs, cite),
        "failures": _failures(runs, cite),
        "conclusions": _sentences(found, CONCLUSION, cite),
        "next_steps": _sentences(found, NEXT_STEP, cite),
    }
    figures = [_figure(runs, metric, place, cite) for place, metric in enumerate(metrics)]
    return Document(
        template="experiment_report",
        title=f"Experiment {text(experiment_id)}",
        parts=parts,
        head={},
        figures={figure.name: figure for figure in figures if figure.curves},
        sources=cite.sources,
        citations=cite.count,
        as_of=moment(as_of),
    )


def _results(runs: Sequence[Run], metrics: Sequence[str], cite: Citations) -> str:
    rows = []
    for run in runs:
        finals = [run.final(metric) for metric in metrics]
        if any(finals):
            cells = [
                f"{number(each.value)} {cite.of(each.cited)}" if each else NONE for each in finals
            ]
            rows.append((code(run.run_id), *cells))
    return table(("Run", *map(text, metrics)), rows)


def _repeats(runs: Sequence[Run], metrics: Sequence[str], cite: Citations) -> str:
    rows = []
    for metric in metrics:
        for group in repeats_of(runs, metric):
            if group.estimate.low is None:
                continue
            marks = _marks(group.cited, cite)
            rows.append(
                (
                    text(metric),
                    text(group.name),
                    f"{number(group.estimate.mean)} {marks}",
                    between(group.estimate.low, group.estimate.high),
                    str(group.estimate.count),
                )
            )
    return table(("Metric", "Configuration", "Mean", "95 % interval", "Runs"), rows)


def _best(runs: Sequence[Run], metrics: Sequence[str], cite: Citations) -> str:
    rows = []
    for metric in metrics:
        if (best := best_run(runs, metric)) is not None:
            run, point = best
            value = f"{number(point.value)} {cite.of(point.cited)}"
            rows.append((text(metric), code(run.run_id), value))
    return table(("Metric", "Best run", "Final value"), rows)


def _failures(runs: Sequence[Run], cite: Citations) -> str:
    lines = []
    for run in runs:
        if run.ended is not None and not run.finished:
            why = text(cast(RunEnded, run.ended.fact).detail) or "no reason was given"
            lines.append(f"- {code(run.run_id)} {run.status}: {why} {cite.of(run.ended)}")
    return "\n".join(lines)


def _sentences(found: Sequence[Finding], kind: str, cite: Citations) -> str:
    lines = []
    for sentence, finding in drawn(found, kind):
        lines.append(f"- {sentence} {_marks(finding.cited, cite)}".rstrip())
    hidden = len(lines) - MOST_NEXT_STEPS
    if hidden > 0:
        lines = [*lines[:MOST_NEXT_STEPS], f"- And {hidden} more of this kind."]
    return "\n".join(lines)


def _marks(cited: Sequence[Cited], cite: Citations) -> str:
    """Links to some facts one by one, to many as ranges."""
    return " ".join(map(cite.of, cited)) if len(cited) <= MOST_MARKS else cite.of(*cited)


def _figure(runs: Sequence[Run], metric: str, place: int, cite: Citations) -> Figure:
    curves = [(run, points) for run in runs if (points := run.curve(metric))][:MOST_CURVES]
    drawn_curves = tuple(
        Curve(
            str(run.run_id),
            tuple(float(point.step or 0) for point in points),
            tuple(point.value for point in points),
        )
        for run, points in curves
    )
    marks = " ".join(cite.of(*(point.cited for point in points)) for _, points in curves)
    return Figure(f"metric-{place}", metric, "step", metric, drawn_curves, caption=marks)
