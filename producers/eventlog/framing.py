"""Puts the schema registry's header in front of datums, also those of older releases."""

from functools import cache

from modeltrail.producers.per_process import ForkGate
from modeltrail.schemas.catalog import newest_schema, schema_files
from modeltrail.schemas.codec import Codec, SchemaIds
from modeltrail.schemas.errors import UnexpectedRecord
from modeltrail.schemas.events import Fact
from modeltrail.schemas.wire import frame_header


class Framer:
    """Frames bare datums; each schema's id is asked for once and kept."""

    def __init__(self, ids: SchemaIds, gate: ForkGate) -> None:
        self._ids = ids
        self._gate = gate
        self._headers: dict[tuple[str, int], bytes] = {}

    def header(self, record: str, version: int) -> bytes:
        """The five bytes in front of a datum of that version of `record`.

        Raises:
            SchemaRegistryUnavailable: the id is not known yet and the registry does not answer.
            IncompatibleSchema: the registry refuses the schema.
            UnexpectedRecord: this release has no such schema.
        """
        header = self._headers.get((record, version))
        if header is None:
            with self._gate:
                header = frame_header(self._ids.id_of(record, _text_of(record, version)))
            self._headers[record, version] = header
        return header


def newest_version(record: str) -> int:
    """The version of `record` that this release writes."""
    return newest_schema(record).version


def decode_datum(record: str, version: int, datum: bytes) -> Fact:
    """The fact of a bare datum of that version of `record`; needs no schema registry.

    Raises:
        DecodeError: not such a datum, or this release has no such schema.
    """
    return _codec_of(record, version).decode(frame_header(0) + datum)


@cache
def _codec_of(record: str, version: int) -> Codec:
    return Codec(_OneSchema(_text_of(record, version)))


class _OneSchema:
    """A `SchemaIds` that knows a single schema, whatever its id."""

    def __init__(self, text: str) -> None:
        self._text = text

    def id_of(self, subject: str, schema: str) -> int:
        del subject, schema
        return 0

    def schema_of(self, schema_id: int) -> str:
        del schema_id
        return self._text


def _text_of(record: str, version: int) -> str:
    for file in schema_files():
        if file.record == record and file.version == version:
            return file.text
    raise UnexpectedRecord(
        f"this release has no schema {record} version {version}: "
        "use the release that wrote it, or a newer one"
    )
