"""Folds the log of one version into its model card.

The sections are those of Hugging Face's model card template, which people and tools know.
"""

import json
from collections.abc import Iterable
from typing import cast

from modeltrail.processors.documents.card_details import (
    details,
    said,
    signature,
    usage,
    yaml_block,
)
from modeltrail.processors.documents.card_evaluation import (
    assessed_risks,
    figures_of,
    index_results,
    live_results,
    occlusions,
    recommendations,
    run_results,
)
from modeltrail.processors.documents.card_fairness import fairness
from modeltrail.processors.documents.card_history import (
    change_points,
    deployments,
    drift,
    incidents,
    reference,
    troubleshooting,
)
from modeltrail.processors.documents.citing import Citations, Cited, moment
from modeltrail.processors.documents.document import Curve, Document, Figure
from modeltrail.processors.documents.measured import Measured, measured
from modeltrail.processors.documents.model_dossier import ModelDossier, fold_model
from modeltrail.processors.documents.tables import code, number, text
from modeltrail.schemas.events import DriftMeasured, RunStarted
from modeltrail.schemas.ids import Micros, ModelId, Version

#: The metrics whose course a card draws, where they were measured.
DRAWN = ("latency_ms", "detection_score", "faces_unmasked", "accuracy", "error")
#: From here on a shift is called great (Siddiqi: Credit Risk Scorecards, 2006).
_GREAT_SHIFT = 0.2
_SECOND_US = 1_000_000


def model_card(
    model_id: ModelId,
    version: Version,
    facts: Iterable[Cited],
    as_of: Micros,
    live_hours: float | None = None,
) -> Document:
    """The card of a version.

    Args:
        model_id: which model.
        version: which of its versions.
        facts: of the model and of the run that made the version, appended by then, in the order
            of the log.
        as_of: the moment of the log that the card tells of, microseconds since 1970, UTC.
        live_hours: of how many hours before it the windows are among the facts; None: all are.
    """
    dossier = fold_model(model_id, version, facts)
    measures = measured(dossier)
    cite = Citations()
    parts = {
        "description": said(dossier, cite, "description"),
        "details": details(dossier, cite),
        "signature": signature(dossier, cite),
        "intended_use": said(dossier, cite, "intended_use"),
        "out_of_scope": said(dossier, cite, "out_of_scope"),
        "limitations": said(dossier, cite, "limitations"),
        "assessment": assessed_risks(dossier, cite),
        "fairness": fairness(dossier, cite),
        "privacy": figures_of(dossier, cite, "privacy"),
        "transparency": figures_of(dossier, cite, "transparency"),
        "occlusions": occlusions(dossier, cite),
        "recommendations": recommendations(dossier, cite),
        "usage": usage(dossier),
        "training": _training(dossier, cite),
        "run_results": run_results(dossier, cite),
        "live_span": _live_span(live_hours),
        "live_results": live_results(measures, cite),
        "reference": reference(dossier, cite),
        "drift": drift(dossier, cite),
        "change_points": change_points(dossier, cite),
        "incidents": incidents(dossier, cite),
        "troubleshooting": troubleshooting(dossier, cite),
        "deployments": deployments(dossier, cite),
    }
    figures = [*_live_figures(measures, cite), *_drift_figures(dossier, cite)]
    return Document(
        template="model_card",
        title=f"{text(model_id)} {text(version)}",
        parts=parts,
        head=yaml_block(dossier, list(index_results(dossier, measures)), cite),
        figures={figure.name: figure for figure in figures},
        sources=cite.sources,
        citations=cite.count,
        as_of=moment(as_of),
    )


def _live_span(hours: float | None) -> str:
    if hours is None:
        return ""
    return (
        f"Live metrics, drift and change points are those of the {number(hours)} hours before "
        "(`documents.windows_hours`); all else is told from the beginning."
    )


def _training(dossier: ModelDossier, cite: Citations) -> str:
    if dossier.run_started is None:
        return ""
    fact = cast(RunStarted, dossier.run_started.fact)
    run = f"Run {code(fact.run_id)} of {text(fact.experiment_id)}"
    began = f"{moment(fact.occurred_at)} {cite.of(dossier.run_started)}"
    # A backtick in it could end the block.
    config = json.dumps(json.loads(fact.config_json), indent=2).replace("`", "'")
    return f"{run}, started {began}, with\n\n```json\n{config}\n```"


def _live_figures(measures: list[Measured], cite: Citations) -> list[Figure]:
    figures: list[Figure] = []
    for name in DRAWN:
        having = [one for one in measures if one.metric == name]
        if having:
            curves = tuple(
                Curve(
                    f"{one.environment}, {one.arm}",
                    tuple(float(place) for place in range(len(one.means))),
                    one.means,
                )
                for one in having
            )
            title = f"Mean of {name} by window"
            marks = " ".join(cite.cite(one.source) for one in having)
            figures.append(
                Figure(f"live-{name}", title, "window of 10 s", name, curves, caption=marks)
            )
    return figures


def _drift_figures(dossier: ModelDossier, cite: Citations) -> list[Figure]:
    figures: list[Figure] = []
    for (environment, arm), cited in sorted(dossier.drift.items()):
        facts = [cast(DriftMeasured, one.fact) for one in cited]
        begin = facts[0].start
        names = sorted({feature.name for fact in facts for feature in fact.features})
        curves = []
        for name in names:
            points = [
                ((fact.end - begin) / _SECOND_US, feature.psi)
                for fact in facts
                for feature in fact.features
                if feature.name == name
            ]
            curves.append(Curve(name, *(tuple(axis) for axis in zip(*points, strict=True))))
        title = f"Distance from the reference ({environment}, {arm})"
        figures.append(
            Figure(
                name=f"drift-{len(figures)}",
                title=title,
                x_label="seconds",
                y_label=f"PSI; dashed {_GREAT_SHIFT:g}",
                curves=tuple(curves),
                limit=_GREAT_SHIFT,
                caption=cite.of(*cited),
            )
        )
    return figures
