"""Writes what a card says of how good the version is: in its run, on live frames, and to whom."""

from collections.abc import Iterator, Sequence
from typing import cast

from modeltrail.processors.documents.assessment import (
    Figure,
    assessment_figures,
    confidence_of,
    occlusion_maps,
    report_of,
)
from modeltrail.processors.documents.card_details import IndexedResult
from modeltrail.processors.documents.citing import Citations, moment, source_of
from modeltrail.processors.documents.measured import Measured
from modeltrail.processors.documents.model_dossier import ModelDossier
from modeltrail.processors.documents.tables import NONE, between, code, number, table, text
from modeltrail.schemas.events import EthicsAssessed, MetricsLogged


def run_results(dossier: ModelDossier, cite: Citations) -> str:
    """The final metrics of the run that made the version."""
    rows = [
        (text(name), f"{number(value)} {cite.of(dossier.run_finals[name])}")
        for name, value in final_values(dossier).items()
    ]
    return table(("Metric", "Final value"), rows)


def final_values(dossier: ModelDossier) -> dict[str, float]:
    """The final metrics of the run that made the version, by name."""
    found = {}
    for name, cited in sorted(dossier.run_finals.items()):
        fact = cast(MetricsLogged, cited.fact)
        found[name] = fact.values[fact.names.index(name)]
    return found


def live_results(measures: Sequence[Measured], cite: Citations) -> str:
    """Each metric on live frames, with the interval of its mean."""
    rows = []
    for one in measures:
        mark = cite.cite(one.source)
        rows.append(
            (
                text(f"{one.environment}, {one.arm}"),
                text(one.metric),
                f"{number(one.mean.count)} {mark}",
                f"{number(one.mean.mean)} {mark}",
                between(one.mean.low, one.mean.high),
                f"{number(one.p50)} / {number(one.p95)} / {number(one.p99)} {mark}",
            )
        )
    heads = ("Where", "Metric", "Measurements", "Mean", "95 % interval", "p50 / p95 / p99")
    return table(heads, rows)


def assessed_risks(dossier: ModelDossier, cite: Citations) -> str:
    """What the newest assessment came to, and what it could not judge."""
    if dossier.assessed is None:
        return ""
    fact = cast(EthicsAssessed, dossier.assessed.fact)
    mark = cite.of(dossier.assessed)
    rows = [
        ("Assessed", f"{moment(fact.occurred_at)} on {number(fact.rows)} rows {mark}"),
        ("Evaluation data", f"`{fact.data_sha256.hex()}` {mark}"),
        ("Bias risk", f"{text(fact.bias_risk)} {mark}"),
        ("Privacy risk", f"{text(fact.privacy_risk)} {mark}"),
        ("Transparency score", f"{number(fact.transparency_score)} {mark}"),
        *(("Not judged", f"{text(what)} {mark}") for what in fact.not_judged),
    ]
    return table(("", ""), rows)


def figures_of(dossier: ModelDossier, cite: Citations, *areas: str) -> str:
    """The figures of some areas of the newest assessment, such as `privacy`."""
    if dossier.assessed is None:
        return ""
    report = report_of(dossier.assessed)
    figures = [figure for area in areas for figure in assessment_figures(report, area)]
    if not figures:
        return ""
    mark = cite.of(dossier.assessed)
    return figure_table(figures, confidence_of(report), mark)


def figure_table(figures: Sequence[Figure], percent: float, mark: str) -> str:
    """Figures below each other; `percent` is the confidence of their intervals."""
    heads = ("Figure", "Value", f"{percent:.4g} % interval", "n")
    return table(heads, [_row(each, mark) for each in figures])


def occlusions(dossier: ModelDossier, cite: Citations) -> str:
    """Where the maps lie that show which part of an image the model looks at."""
    if dossier.assessed is None:
        return ""
    rows = [
        (text(name), f"{code(uri)} {cite.of(dossier.assessed)}")
        for name, uri in occlusion_maps(report_of(dossier.assessed))
    ]
    return table(("Occlusion map", "Picture"), rows)


def recommendations(dossier: ModelDossier, cite: Citations) -> str:
    """What the rules of the assessment advise."""
    if dossier.assessed is None:
        return ""
    fact = cast(EthicsAssessed, dossier.assessed.fact)
    mark = cite.of(dossier.assessed)
    return "\n".join(
        f"- {text(each.text)} ({text(each.cites)} is {number(each.value)}, "
        f"the limit is {number(each.threshold)} {mark})"
        for each in fact.recommendations
    )


def index_results(dossier: ModelDossier, measures: Sequence[Measured]) -> Iterator[IndexedResult]:
    """The metrics that the head of the card lists."""
    fact = dossier.registered.fact if dossier.registered else None
    dataset = getattr(fact, "dataset", "") or "the run's evaluation data"
    for name, value in final_values(dossier).items():
        yield IndexedResult(name, value, dataset, source_of(dossier.run_finals[name]))
    for one in measures:
        where = f"live frames ({one.environment}, {one.arm})"
        yield IndexedResult(one.metric, one.mean.mean, where, one.source)


def _row(figure: Figure, mark: str) -> tuple[str, str, str, str]:
    size = number(figure.size) if figure.size is not None else NONE
    interval = between(figure.low, figure.high)
    return text(figure.name), f"{number(figure.value)} {mark}", interval, size
