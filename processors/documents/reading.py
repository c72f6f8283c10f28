"""Reads from the log what a document tells of: the facts of one subject, up to a moment.

Of `experiments`, which grows with every run, a reader goes through each record once; afterwards it
reads what is new, and the stretch between the first and the last record of the runs in question.
"""

from collections.abc import Container, Iterable, Iterator, Set
from contextlib import closing

from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.processors.documents.citing import Cited
from modeltrail.processors.documents.model_dossier import newest_version
from modeltrail.processors.documents.run_places import RunPlaces
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError, ModeltrailError
from modeltrail.schemas.events import (
    Fact,
    ModelRegistered,
    PartialWindow,
    PartialWindows,
    RecentMeasured,
    RecentMeasurements,
    RunStarted,
)
from modeltrail.schemas.ids import ExperimentId, Micros, ModelId, Version
from modeltrail.schemas.partitioning import partition_of
from modeltrail.schemas.topics import (
    ALERTS,
    DEPLOYMENTS,
    ETHICS,
    EXPERIMENTS,
    REGISTRY,
    WINDOWS,
    Topic,
    key_of,
)
from modeltrail.schemas.wire import schema_id_of

_OF_A_MODEL = (REGISTRY, ALERTS, DEPLOYMENTS, ETHICS)
_HOUR_MS = 3_600_000
#: Large, and of no interest here: they are passed over unread.
_PASSED_OVER = frozenset(
    kind.record for kind in (PartialWindow, PartialWindows, RecentMeasured, RecentMeasurements)
)


class NothingKnown(ModeltrailError):
    """The log knows of no such model, version or experiment by then: correct the name or time."""


class SubjectReader:
    """Reads the facts of models and experiments; every method may raise `Unavailable`."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._kafka = settings.kafka
        self._windows_ms = int(settings.documents.windows_hours * _HOUR_MS)
        self._codec = codec
        self._places = RunPlaces()

    @property
    def live_hours(self) -> float:
        """Of how many hours before the moment windows, drift and change points are read."""
        return self._windows_ms / _HOUR_MS

    def of_model(
        self, model_id: ModelId, version: Version | None, as_of: Micros
    ) -> tuple[Version, list[Cited]]:
        """A version (None: the newest), and the facts of its model and run, in their order.

        Raises:
            NothingKnown: no such version was registered by then.
        """
        key = key_of(model_id)
        facts = list(self._partitions_of(key, _OF_A_MODEL, as_of))
        chosen = version or newest_version(sorted(facts, key=_order), model_id)
        registered = next((one.fact for one in facts if _registers(one, model_id, chosen)), None)
        if chosen is None or not isinstance(registered, ModelRegistered):
            raise NothingKnown(
                f"{model_id[:80]!r} {version or ''} is not registered by then: "
                "see what is with `modeltrail registry list`"
            )
        facts += self._partitions_of(key, (WINDOWS,), as_of, self._windows_ms)
        if registered.run_id is not None:
            run = key_of(registered.run_id)
            self._follow_runs(partition_of(run, self._kafka.partitions))
            facts += self._of_runs(frozenset({run}), as_of)
        return chosen, sorted(facts, key=_order)

    def of_experiment(self, name: str, as_of: Micros) -> tuple[ExperimentId, list[Cited]]:
        """An experiment by its id, or by that of one of its runs; and its facts in their order.

        Raises:
            NothingKnown: no run of that experiment had begun by then.
        """
        self.follow_runs()
        experiment_id = self._places.experiment_of(name, as_of // 1000)
        keys = self._places.keys_of(experiment_id, as_of // 1000)
        if not keys:
            raise NothingKnown(
                f"no run of experiment {name[:80]!r} had begun by then: "
                "see what has with `modeltrail experiments list`"
            )
        return experiment_id, sorted(self._of_runs(keys, as_of), key=_order)

    def follow_runs(self) -> None:
        """Take note of where the runs lie that the log has got by now."""
        for partition in range(self._kafka.partitions):
            self._follow_runs(partition)

    def experiment_of(self, name: str, until_ms: int) -> ExperimentId:
        """The experiment of a run that was followed; where none had begun, it is its own name."""
        return self._places.experiment_of(name, until_ms)

    def _follow_runs(self, partition: int) -> None:
        """Take note of where runs lie in what the partition has got since the last time."""
        places = self._places
        with closing(self._open(EXPERIMENTS, partition)) as reader:
            low, end = reader.bounds()
            if end < places.following(partition):
                places.forget(partition)
            first = max(low, places.following(partition))
            for record in reader.read(first, end) if first < end else ():
                if record.value is None or record.key is None:
                    continue
                places.met(record.key, partition, record.offset)
                fact = self._decode(record.value, {RunStarted.record})
                if isinstance(fact, RunStarted):
                    places.began(record.key, fact.experiment_id, record.appended_ms)
            places.passed(partition, end)

    def _of_runs(self, keys: Set[bytes], as_of: Micros) -> Iterator[Cited]:
        for partition, first, end in self._places.spans(keys):
            yield from self._read(EXPERIMENTS, partition, as_of, keys, between=(first, end))

    def _partitions_of(
        self, key: bytes, topics: Iterable[Topic], as_of: Micros, last_ms: int | None = None
    ) -> Iterator[Cited]:
        partition = partition_of(key, self._kafka.partitions)
        for topic in topics:
            yield from self._read(topic, partition, as_of, {key}, last_ms=last_ms)

    def _open(self, topic: Topic, partition: int) -> PartitionReader:
        name = topic.full_name(self._kafka.topic_prefix)
        return PartitionReader(self._kafka, name, partition)

    def _read(
        self,
        topic: Topic,
        partition: int,
        as_of: Micros,
        keys: Set[bytes],
        last_ms: int | None = None,
        between: tuple[int, int] | None = None,
    ) -> Iterator[Cited]:
        until_ms = as_of // 1000
        with closing(self._open(topic, partition)) as reader:
            first, end = reader.bounds()
            if between is not None:
                first, end = max(first, between[0]), min(end, between[1])
            if last_ms is not None:
                begin = reader.offset_at(until_ms - last_ms)
                first = end if begin is None else max(first, begin)
            after = reader.offset_at(until_ms + 1)
            for record in reader.read(first, end if after is None else min(end, after)):
                if record.value is None or record.key not in keys:
                    continue
                fact = self._decode(record.value)
                if fact is not None:
                    yield Cited(fact, topic.name, partition, record.offset, record.appended_ms)

    def _decode(self, value: bytes, records: Container[str] | None = None) -> Fact | None:
        try:
            # Told apart without being decoded: most are of no interest here.
            record = self._codec.writer_of(schema_id_of(value)).record
            if record in _PASSED_OVER or (records is not None and record not in records):
                return None
            return self._codec.decode(value)
        except DecodeError:
            # The projector reads these topics too and files the dead letter.
            return None


def _registers(cited: Cited, model_id: ModelId, version: Version | None) -> bool:
    fact = cited.fact
    return (
        isinstance(fact, ModelRegistered) and fact.model_id == model_id and fact.version == version
    )


def _order(cited: Cited) -> tuple[int, str, int, int]:
    return cited.order
