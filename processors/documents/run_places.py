"""Answers where in the topic of experiments the facts of runs lie, so that others are not read.

A place takes about 350 bytes. Partitions are followed from where they were left, so that a worker
that makes report after report reads what is new, and of the past what the report tells of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modeltrail.schemas.ids import ExperimentId, RunId
from modeltrail.schemas.topics import key_of

Span = tuple[int, int, int]
"""Partition, the first offset of some runs there, and the one after their last."""


@dataclass(slots=True)
class _Place:
    partition: int
    first: int
    last: int
    experiment_id: ExperimentId | None = None
    began_ms: int = 0


class RunPlaces:
    """The first and the last offset of each run that was met."""

    def __init__(self) -> None:
        self._following: dict[int, int] = {}
        self._places: dict[bytes, _Place] = {}
        self._runs: dict[ExperimentId, list[bytes]] = {}

    def following(self, partition: int) -> int:
        """The offset from which on the partition is unknown."""
        return self._following.get(partition, 0)

    def passed(self, partition: int, end: int) -> None:
        """Everything before `end` was met."""
        self._following[partition] = end

    def forget(self, partition: int) -> None:
        """Know nothing of a partition any more: its topic was made anew."""
        gone = {key for key, place in self._places.items() if place.partition == partition}
        self._places = {key: each for key, each in self._places.items() if key not in gone}
        self._runs = {
            experiment_id: [key for key in keys if key not in gone]
            for experiment_id, keys in self._runs.items()
        }
        self._following.pop(partition, None)

    def met(self, key: bytes, partition: int, offset: int) -> None:
        """A record with that key lies there."""
        place = self._places.get(key)
        if place is None:
            self._places[key] = _Place(partition, offset, offset)
        else:
            place.last = max(place.last, offset)

    def began(self, key: bytes, experiment_id: ExperimentId, appended_ms: int) -> None:
        """The run of that key, which was met, began as part of an experiment; the first counts."""
        place = self._places[key]
        if place.experiment_id is None:
            place.experiment_id, place.began_ms = experiment_id, appended_ms
            self._runs.setdefault(experiment_id, []).append(key)

    def experiment_of(self, name: str, until_ms: int) -> ExperimentId:
        """The experiment of the run of that name; where none had begun, it is its own name."""
        place = self._places.get(key_of(RunId(name)))
        if place is None or place.experiment_id is None or place.began_ms > until_ms:
            return ExperimentId(name)
        return place.experiment_id

    def keys_of(self, experiment_id: ExperimentId, until_ms: int) -> frozenset[bytes]:
        """The keys of its runs that had begun by then."""
        keys = self._runs.get(experiment_id, ())
        return frozenset(key for key in keys if self._places[key].began_ms <= until_ms)

    def spans(self, keys: Iterable[bytes]) -> Iterator[Span]:
        """Where the records of some runs lie; those of others are between them."""
        found: dict[int, tuple[int, int]] = {}
        for key in keys:
            if (place := self._places.get(key)) is not None:
                first, end = found.get(place.partition, (place.first, 0))
                found[place.partition] = min(first, place.first), max(end, place.last + 1)
        for partition, (first, end) in sorted(found.items()):
            yield partition, first, end
