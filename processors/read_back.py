"""Spares a worker the decoding of what it wrote itself: most that it reads from `windows`.

Facts never change, so the one that was written is as good as the one that its bytes hold. They are
told apart by a digest of all their bytes: what another worker wrote is decoded, whatever its id.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.events import Fact
from modeltrail.schemas.topics import WINDOWS

#: About what the windows of 2,000 series take as they are closed.
MOST_BYTES = 16 * 1024 * 1024


class ReadBackCodec(Codec):
    """A codec for both ends of `windows`; any number of threads may use it.

    Args:
        ids: as of every codec.
        most_bytes: how much is remembered, counted as encoded; what was written first goes first.
    """

    def __init__(self, ids: SchemaIds, most_bytes: int = MOST_BYTES) -> None:
        super().__init__(ids)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._written: OrderedDict[bytes, tuple[int, Fact]] = OrderedDict()
        self._lock = threading.Lock()

    def encode_all(self, facts: Sequence[Fact]) -> list[bytes]:
        """Frame and encode `facts`, as every codec does; remember those that will be read here."""
        values = super().encode_all(facts)
        for fact, value in zip(facts, values, strict=True):
            self._remember(fact, value)
        return values

    def decode(self, value: bytes) -> Fact:
        """The fact that `value` holds, as every codec gives it; one written here is given once."""
        digest = _digest(value)
        with self._lock:
            size, fact = self._written.pop(digest, (0, None))
            self._bytes -= size
        return super().decode(value) if fact is None else fact

    def _remember(self, fact: Fact, value: bytes) -> None:
        if not isinstance(fact, WINDOWS.facts):
            return
        digest = _digest(value)
        with self._lock:
            if digest in self._written:
                return
            self._written[digest] = len(value), fact
            self._bytes += len(value)
            while self._bytes > self._most_bytes:
                _, (size, _) = self._written.popitem(last=False)
                self._bytes -= size


def _digest(value: bytes) -> bytes:
    return sha256(value).digest()
