"""Folds what the log says of one version of a model into what its card tells."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from modeltrail.processors.documents.citing import Cited
from modeltrail.schemas.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertResolved,
    AlertState,
    AlertUpdated,
    AliasAssigned,
    AliasRemoved,
    ChangePointDetected,
    DeploymentRequested,
    DriftMeasured,
    EthicsAssessed,
    Fact,
    MetricsLogged,
    ModelArchived,
    ModelErased,
    ModelRegistered,
    ModelRestored,
    ModelTagSet,
    ReferenceProfiled,
    RunStarted,
    WindowClosed,
)
from modeltrail.schemas.ids import EventId, ModelId, RunId, Version

Series = tuple[str, str]
"""Environment and arm."""


@dataclass(slots=True)
class Incident:
    """One alert through its life."""

    steps: list[Cited] = field(default_factory=list)
    acknowledged: list[Cited] = field(default_factory=list)

    def newest(self, *kinds: type[Fact]) -> Any:
        """The last step of those kinds, or None."""
        return next((step for step in reversed(self.steps) if isinstance(step.fact, kinds)), None)


@dataclass(slots=True)
class Deployment:
    """One deployment of the version: its request and what followed."""

    request: Cited
    followed: list[Cited] = field(default_factory=list)


@dataclass(slots=True)
class ModelDossier:
    """Everything that the log says of one version, each fact with its place.

    `run_id` is the run that made the version, if it is known. Windows are those of 10 s: by
    environment and arm, the decided or, where late events changed it, the final one of each span.
    """

    model_id: ModelId
    version: Version
    run_id: RunId | None = None
    registered: Cited | None = None
    aliases: dict[str, Cited] = field(default_factory=dict)
    tags: dict[str, Cited] = field(default_factory=dict)
    retired: Cited | None = None
    erased: Cited | None = None
    profiled: Cited | None = None
    run_started: Cited | None = None
    run_finals: dict[str, Cited] = field(default_factory=dict)
    windows: dict[Series, dict[int, Cited]] = field(default_factory=dict)
    drift: dict[Series, list[Cited]] = field(default_factory=dict)
    changes: list[Cited] = field(default_factory=list)
    incidents: dict[EventId, Incident] = field(default_factory=dict)
    deployments: dict[EventId, Deployment] = field(default_factory=dict)
    assessed: Cited | None = None


def fold_model(model_id: ModelId, version: Version, facts: Iterable[Cited]) -> ModelDossier:
    """What `facts` say of the version; a fact that comes again changes nothing.

    Args:
        model_id: which model.
        version: which of its versions.
        facts: of the model and of the run that made the version, in the order of the log.
    """
    told = list(facts)
    dossier = ModelDossier(model_id, version, _run_of(model_id, version, told))
    seen: set[EventId] = set()
    for cited in told:
        if cited.fact.event_id not in seen:
            seen.add(cited.fact.event_id)
            _absorb(dossier, cited)
    return dossier


def _run_of(model_id: ModelId, version: Version, facts: Iterable[Cited]) -> RunId | None:
    # The run came before the registration that names it.
    for cited in facts:
        fact = cited.fact
        if isinstance(fact, ModelRegistered) and (fact.model_id, fact.version) == (
            model_id,
            version,
        ):
            return fact.run_id
    return None


def newest_version(facts: Iterable[Cited], model_id: ModelId) -> Version | None:
    """The version that was registered last."""
    found = None
    for cited in facts:
        if isinstance(cited.fact, ModelRegistered) and cited.fact.model_id == model_id:
            found = cited.fact.version
    return found


def _absorb(dossier: ModelDossier, cited: Cited) -> None:
    fact = cited.fact
    if isinstance(fact, RunStarted | MetricsLogged):
        _absorb_run(dossier, cited)
        return
    if getattr(fact, "model_id", None) != dossier.model_id:
        return
    if isinstance(fact, AlertAcknowledged):
        dossier.incidents.setdefault(fact.alert_id, Incident()).acknowledged.append(cited)
    elif (deployment_id := getattr(fact, "deployment_id", None)) is not None:
        if deployment_id in dossier.deployments:
            dossier.deployments[deployment_id].followed.append(cited)
    elif isinstance(fact, AliasAssigned | AliasRemoved):
        dossier.aliases.pop(fact.alias, None)
        if isinstance(fact, AliasAssigned) and fact.version == dossier.version:
            dossier.aliases[fact.alias] = cited
    elif getattr(fact, "version", None) in (dossier.version, None):
        _absorb_version(dossier, cited)


def _absorb_version(dossier: ModelDossier, cited: Cited) -> None:
    match cited.fact:
        case ModelRegistered():
            dossier.registered = dossier.registered or cited
        case ModelTagSet(name=name, value=value):
            dossier.tags.pop(name, None)
            if value is not None:
                dossier.tags[name] = cited
        case ModelArchived() | ModelRestored():
            dossier.retired = cited if isinstance(cited.fact, ModelArchived) else None
        case ModelErased():
            # Versions that are registered later are not meant.
            dossier.erased = cited if dossier.registered else None
        case ReferenceProfiled():
            dossier.profiled = cited
        case WindowClosed(window="10s", environment=environment, arm=arm, start=start):
            dossier.windows.setdefault((environment, arm), {})[start] = cited
        case DriftMeasured(environment=environment, arm=arm):
            dossier.drift.setdefault((environment, arm), []).append(cited)
        case ChangePointDetected():
            dossier.changes.append(cited)
        case AlertRaised(alert_id=alert_id) | AlertUpdated(alert_id=alert_id):
            dossier.incidents.setdefault(alert_id, Incident()).steps.append(cited)
        case AlertResolved(alert_id=alert_id) if alert_id in dossier.incidents:
            dossier.incidents[alert_id].steps.append(cited)
        case DeploymentRequested(event_id=event_id):
            dossier.deployments[event_id] = Deployment(cited)
        case EthicsAssessed():
            dossier.assessed = cited
        case _:
            pass


def _absorb_run(dossier: ModelDossier, cited: Cited) -> None:
    fact = cited.fact
    if isinstance(fact, RunStarted):
        if fact.run_id == dossier.run_id:
            dossier.run_started = dossier.run_started or cited
    elif isinstance(fact, MetricsLogged) and fact.run_id == dossier.run_id:
        for name in fact.names:
            if _counts(dossier.run_finals.get(name), fact):
                dossier.run_finals[name] = cited


def _counts(before: Cited | None, fact: MetricsLogged) -> bool:
    """Whether a metric's value at this step is the final one rather than the one before."""
    if before is None or fact.step is None:
        return True
    assert isinstance(before.fact, MetricsLogged)
    return before.fact.step is not None and fact.step >= before.fact.step


def is_open(incident: Incident) -> bool:
    """Whether an alert is still open."""
    last = incident.steps[-1].fact if incident.steps else None
    return isinstance(last, AlertState) and not isinstance(last, AlertResolved)
