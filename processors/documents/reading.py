"""Reads from the log what a document tells of: the facts of one subject, up to a moment."""

from collections.abc import Container, Iterable, Iterator
from contextlib import closing

from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.processors.documents.citing import Cited
from modeltrail.processors.documents.model_dossier import newest_version
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError, ModeltrailError
from modeltrail.schemas.events import (
    Fact,
    ModelRegistered,
    PartialWindow,
    RecentMeasured,
    RunStarted,
)
from modeltrail.schemas.ids import ExperimentId, Micros, ModelId, RunId, Version
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
_PASSED_OVER = frozenset({PartialWindow.record, RecentMeasured.record})


class NothingKnown(ModeltrailError):
    """The log knows of no such model, version or experiment by then: correct the name or time."""


class SubjectReader:
    """Reads the facts of models and experiments; every method may raise `Unavailable`."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._kafka = settings.kafka
        self._windows_ms = int(settings.documents.windows_hours * _HOUR_MS)
        self._codec = codec

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
            facts += self._partitions_of(key_of(registered.run_id), (EXPERIMENTS,), as_of)
        return chosen, sorted(facts, key=_order)

    def of_experiment(self, name: str, as_of: Micros) -> tuple[ExperimentId, list[Cited]]:
        """An experiment by its id, or by that of one of its runs; and its facts in their order.

        Raises:
            NothingKnown: no run of that experiment had begun by then.
        """
        started = [
            cited
            for partition in range(self._kafka.partitions)
            for cited in self._read(EXPERIMENTS, partition, as_of, records={RunStarted.record})
        ]
        runs = {one.fact.run_id: one.fact for one in started if isinstance(one.fact, RunStarted)}
        known = runs.get(RunId(name))
        experiment_id = known.experiment_id if known else ExperimentId(name)
        keys = {key_of(each) for each, fact in runs.items() if fact.experiment_id == experiment_id}
        if not keys:
            raise NothingKnown(
                f"no run of experiment {name[:80]!r} had begun by then: "
                "see what has with `modeltrail experiments list`"
            )
        facts = [
            cited
            for partition in {partition_of(key, self._kafka.partitions) for key in keys}
            for cited in self._read(EXPERIMENTS, partition, as_of, keys)
        ]
        return experiment_id, sorted(facts, key=_order)

    def _partitions_of(
        self, key: bytes, topics: Iterable[Topic], as_of: Micros, last_ms: int | None = None
    ) -> Iterator[Cited]:
        partition = partition_of(key, self._kafka.partitions)
        for topic in topics:
            yield from self._read(topic, partition, as_of, {key}, last_ms=last_ms)

    def _read(
        self,
        topic: Topic,
        partition: int,
        as_of: Micros,
        keys: Container[bytes | None] | None = None,
        records: Container[str] | None = None,
        last_ms: int | None = None,
    ) -> Iterator[Cited]:
        until_ms = as_of // 1000
        name = topic.full_name(self._kafka.topic_prefix)
        with closing(PartitionReader(self._kafka, name, partition)) as reader:
            first, end = reader.bounds()
            if last_ms is not None:
                begin = reader.offset_at(until_ms - last_ms)
                first = end if begin is None else max(first, begin)
            after = reader.offset_at(until_ms + 1)
            for record in reader.read(first, end if after is None else min(end, after)):
                if record.value is None or (keys is not None and record.key not in keys):
                    continue
                fact = self._decode(record.value, records)
                if fact is not None:
                    yield Cited(fact, topic.name, partition, record.offset, record.appended_ms)

    def _decode(self, value: bytes, records: Container[str] | None) -> Fact | None:
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
