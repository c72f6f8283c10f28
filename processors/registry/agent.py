"""Runs the registry fold on the `registry` topic: state from the log, answers before acks.

No table holds the registry's state. On the first record of a partition in a group generation, the
partition is folded from its beginning to its high watermark, so that the answers in the log decide.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from modeltrail.processors.patience import patiently
from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import Fact
from modeltrail.schemas.registry_dialogue import RegistryAnswer, RegistryRequest
from modeltrail.schemas.topics import key_of

log = logging.getLogger(__name__)

ReadPartition = Callable[[int], list[bytes | None]]
Publish = Callable[[bytes, bytes], Awaitable[object]]


@dataclass(slots=True)
class RegistryAgent:
    """The registry of one worker.

    Attributes:
        codec: decodes requests, encodes answers.
        read_partition: gives every value of a partition up to its high watermark; may block.
        publish: appends one answer under a key and returns once the broker has acknowledged it.
    """

    codec: Codec
    read_partition: ReadPartition
    publish: Publish
    _states: dict[tuple[int, int], dict[str, ModelState]] = field(default_factory=dict)

    async def handle(
        self, partition: int, generation: int, key: bytes | None, value: bytes | None
    ) -> None:
        """Absorb one record; its answers are acknowledged when this returns."""
        states = await self._states_of(partition, generation)
        fact = await self._decode(value) if value is not None else None
        if not isinstance(fact, RegistryRequest | RegistryAnswer):
            return
        state, answers = fold(states.get(fact.model_id, ModelState()), fact)
        for answer in answers:
            encode = partial(self.codec.encode, answer)
            await self.publish(key or key_of(fact.model_id), await patiently(encode))
        states[fact.model_id] = state

    async def _states_of(self, partition: int, generation: int) -> dict[str, ModelState]:
        if (partition, generation) not in self._states:
            self._states = {
                kept: states for kept, states in self._states.items() if kept[0] != partition
            }
            self._states[partition, generation] = await self._replay(partition)
        return self._states[partition, generation]

    async def _replay(self, partition: int) -> dict[str, ModelState]:
        states: dict[str, ModelState] = {}
        for value in await asyncio.to_thread(self.read_partition, partition):
            fact = await self._decode(value) if value is not None else None
            if isinstance(fact, RegistryAnswer):
                before = states.get(fact.model_id, ModelState())
                states[fact.model_id], _ = fold(before, fact)
        return states

    async def _decode(self, value: bytes) -> Fact | None:
        try:
            return await patiently(partial(self.codec.decode, value))
        except DecodeError as error:
            # The projector reads this topic too and files the dead letter.
            log.warning("registry record skipped: %s", error)
            return None
