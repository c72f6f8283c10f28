"""Writes what a report says of how runs were made: settings, tags, and the files that they kept."""

from collections.abc import Sequence
from typing import cast

from modeltrail.processors.documents.citing import Citations, moment
from modeltrail.processors.documents.experiment_dossier import Run
from modeltrail.processors.documents.tables import NONE, code, number, table, text
from modeltrail.schemas.events import ArtifactLogged, RunStarted, RunTagSet
from modeltrail.schemas.run_settings import configuration_differences


def setup(runs: Sequence[Run], cite: Citations) -> str:
    """Every run: when it began and by whom, how it ended, its tags."""
    rows = []
    for run in runs:
        fact = cast(RunStarted, run.started.fact)
        took = NONE if run.ended is None else f"{number(run.seconds)} s {cite.of(run.ended)}"
        rows.append(
            (
                code(run.run_id),
                f"{moment(fact.occurred_at)} {cite.of(run.started)}",
                text(fact.started_by or "unknown"),
                run.status,
                took,
                _tags(run, cite),
            )
        )
    return table(("Run", "Started", "By", "Status", "Took", "Tags"), rows)


def _tags(run: Run, cite: Citations) -> str:
    said = [
        f"{text(name)}: {text(cast(RunTagSet, cited.fact).value)} {cite.of(cited)}"
        for name, cited in sorted(run.tags.items())
    ]
    return ", ".join(said) or NONE


def configuration(runs: Sequence[Run], cite: Citations) -> str:
    """The settings that all runs share."""
    differing = configuration_differences({run.run_id: run.settings for run in runs})
    shared = {
        name: value
        for run in runs[:1]
        for name, value in sorted(run.settings.items())
        if name not in differing
    }
    if not shared:
        return ""
    mark = cite.of(*(cited for run in runs for cited in run.configured))
    rows = [(text(name), f"{text(value)} {mark}") for name, value in shared.items()]
    return table(("Setting", "Value"), rows)


def differences(runs: Sequence[Run], cite: Citations) -> str:
    """The settings that are not the same in all runs."""
    differing = configuration_differences({run.run_id: run.settings for run in runs})
    if not differing:
        return ""
    rows = [
        (
            f"{code(run.run_id)} {cite.of(*run.configured)}",
            *(text(values.get(run.run_id, NONE)) for values in differing.values()),
        )
        for run in runs
    ]
    return table(("Run", *map(text, differing)), rows)


def artifacts(runs: Sequence[Run], cite: Citations) -> str:
    """The files that the runs kept."""
    rows = []
    for run in runs:
        for name, cited in sorted(run.artifacts.items()):
            fact = cast(ArtifactLogged, cited.fact)
            rows.append(
                (
                    code(run.run_id),
                    text(name),
                    f"{number(fact.artifact_size)} {cite.of(cited)}",
                    code(fact.artifact_sha256.hex()),
                )
            )
    return table(("Run", "Artifact", "Bytes", "SHA-256"), rows)
