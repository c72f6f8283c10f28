"""Answers how one fact lies in the spool: unframed, so that no schema registry is needed."""

import struct
from dataclasses import dataclass
from functools import lru_cache

from modeltrail.schemas.errors import InvalidFact

_LENGTHS = struct.Struct("<HHHH")
_LONGEST_KEY = 0xFFFF
# With its frame and Kafka's overhead, a fact stays below Kafka's default limit of 1 MiB.
LARGEST_DATUM = 1_000_000


@dataclass(frozen=True, slots=True)
class Address:
    """Where a fact goes and what it is: topic without prefix, key, version of `record`."""

    topic: str
    key: bytes
    record: str
    version: int


#: An address and the bare datum for it.
SpooledFact = tuple[Address, bytes]


def pack_prefix(topic: str, key: bytes, record: str, version: int) -> bytes:
    """What stands in front of the datum in a spooled body.

    Raises:
        InvalidFact: the key is longer than 65,535 bytes.
    """
    if len(key) > _LONGEST_KEY:
        raise InvalidFact(f"a key of {len(key):,} bytes: {_LONGEST_KEY:,} are allowed")
    topic_bytes, record_bytes = topic.encode(), record.encode()
    lengths = _LENGTHS.pack(len(topic_bytes), len(key), len(record_bytes), version)
    return lengths + topic_bytes + key + record_bytes


def pack(address: Address, datum: bytes) -> bytes:
    """The body that `unpack` takes apart."""
    return pack_prefix(address.topic, address.key, address.record, address.version) + datum


def unpack(body: bytes) -> SpooledFact | None:
    """The fact of a spooled body; None: it holds none."""
    try:
        topic, key, record, _ = _LENGTHS.unpack_from(body)
        size = _LENGTHS.size + topic + key + record
        return _address(body[:size]), body[size:]
    except (struct.error, UnicodeDecodeError):
        return None


# Most facts of a batch belong to few runs.
@lru_cache(maxsize=256)
def _address(prefix: bytes) -> Address:
    topic, key, record, version = _LENGTHS.unpack_from(prefix)
    at_key = _LENGTHS.size + topic
    at_record = at_key + key
    return Address(
        prefix[_LENGTHS.size : at_key].decode(),
        prefix[at_key:at_record],
        prefix[at_record : at_record + record].decode(),
        version,
    )
