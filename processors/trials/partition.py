"""Measures a trial in one partition of the measurements, and tells what is new."""

from collections.abc import Iterator

from modeltrail.processors.trials.fold import CANDIDATE_ARM, Complete, SessionsFold
from modeltrail.processors.trials.reading import Fetch, TrialReader
from modeltrail.processors.trials.trial import Trial
from modeltrail.schemas.events import SessionsMeasured, SessionValue
from modeltrail.schemas.ids import Micros, derived_event_id
from modeltrail.schemas.routing import CANDIDATE, CHAMPION

#: Ids may have four thousand bytes, and a Kafka message a megabyte.
_SESSIONS_A_FACT = 250
_MOST_BYTES = 1 << 19
# A mean, and the other numbers of a session and how long its names are in Avro, about.
_MEAN_BYTES = 9
_SESSION_BYTES = 30


class TrialPartition:
    """A trial in one partition of the measurements, from the first record at its start on."""

    def __init__(self, trial: Trial, partition: int) -> None:
        self._trial = trial
        self._partition = partition
        self._reader = TrialReader(trial)
        self._fold = SessionsFold(len(trial.metrics), trial.frames_per_session)
        self._complete: list[SessionValue] = []
        self._through = (-1, trial.since_ms)
        self._told = (-1, (0, 0))

    def absorb(self, fetch: Fetch) -> None:
        """Take the next fetch in; it has at least one record."""
        complete = self._fold.absorb(self._reader.read(fetch))
        self._complete += [self._value(session) for session in complete]
        self._through = int(fetch.offsets[-1]), int(fetch.appended_ms[-1])

    def news(self) -> list[SessionsMeasured]:
        """What has changed since it was asked before; none: nothing.

        The facts depend on the log and on where it was asked before, and so do their ids: asked at
        other places the sessions come in other facts, but they are the same in the same order.
        """
        begun = self._fold.begun
        if not self._complete and begun == self._told[1]:
            return []
        facts = [self._fact(begun, first, end) for first, end in _parts(self._complete)]
        self._complete = []
        self._told = self._through[0], begun
        return facts

    def _fact(self, begun: tuple[int, int], first: int, end: int) -> SessionsMeasured:
        offset, appended_ms = self._through
        trial = self._trial
        about = (trial.deployment_id, trial.step_number, self._partition)
        return SessionsMeasured(
            event_id=derived_event_id(
                SessionsMeasured.record, *about, self._told[0], offset, first
            ),
            occurred_at=Micros(appended_ms * 1000),
            deployment_id=trial.deployment_id,
            model_id=trial.model_id,
            step_number=trial.step_number,
            inference_partition=self._partition,
            through_offset=offset,
            metrics=trial.metrics,
            champion_started=begun[0],
            candidate_started=begun[1],
            sessions=tuple(self._complete[first:end]),
        )

    def _value(self, complete: Complete) -> SessionValue:
        is_candidate = complete.arm == CANDIDATE_ARM
        version = self._trial.candidate if is_candidate else self._trial.champion
        assert version is not None
        return SessionValue(
            session_id=self._reader.session(complete.session),
            node_id=self._reader.node(complete.node),
            arm=CANDIDATE if is_candidate else CHAMPION,
            version=version,
            frames=self._trial.frames_per_session,
            last_captured_at=Micros(complete.captured_us),
            means=complete.means,
        )


def _parts(sessions: list[SessionValue]) -> Iterator[tuple[int, int]]:
    """Where the sessions of each fact begin and end; one fact, if there are none."""
    first = held = 0
    for place, size in enumerate(map(_bytes_of, sessions)):
        if place - first == _SESSIONS_A_FACT or (held and held + size > _MOST_BYTES):
            yield first, place
            first, held = place, 0
        held += size
    yield first, len(sessions)


def _bytes_of(session: SessionValue) -> int:
    """About how many bytes a session takes."""
    names = (session.session_id, session.node_id, session.arm, session.version)
    numbers = _SESSION_BYTES + _MEAN_BYTES * len(session.means)
    return numbers + sum(len(name.encode()) for name in names)
