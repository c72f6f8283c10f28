"""Reads evaluation data batch by batch: CSV or Parquet, only the columns named, within bounds."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from modeltrail.processors.ethics.assessment import Bounds
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.events import AssessmentRefusal

_MIB = 1024 * 1024
#: CSV text is cut into blocks of this size; a row must fit into one.
_BLOCK_BYTES = 4 * _MIB
_BATCH_ROWS = 32_768
#: Images and other long values come few at a time.
_BATCH_ROWS_BINARY = 16
_MOST_COLUMNS = 10_000
_MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "#N/A"]


class Data:
    """A file of evaluation data; each `batches` reads it from its beginning."""

    def __init__(self, path: Path, bounds: Bounds = Bounds()) -> None:  # noqa: B008 (frozen)
        """Look at the file's size and heading.

        Raises:
            Refused: it is missing, too large, or neither CSV nor Parquet.
        """
        self._path = path
        self._bounds = bounds
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                start = file.read(4)
        except OSError as error:
            raise Refused(
                AssessmentRefusal.DATA_MISSING, f"no readable data: {error.strerror}; store it anew"
            ) from error
        if size > bounds.most_bytes:
            raise Refused(
                AssessmentRefusal.TOO_LARGE,
                f"the data has {size / _MIB:,.0f} MiB, {bounds.most_bytes // _MIB:,} are allowed: "
                "draw a random sample of its rows",
            )
        self.is_parquet = start == b"PAR1"
        self.columns = self._names()

    def require(self, names: Sequence[str]) -> None:
        """See that the file has these columns.

        Raises:
            Refused: it has not.
        """
        if missing := [name for name in names if name not in self.columns]:
            has = ", ".join(self.columns[:20]) + (" …" if len(self.columns) > 20 else "")
            raise Refused(
                AssessmentRefusal.MISSING_COLUMNS,
                f"the data has no column {', '.join(missing)[:500]}; it has {has[:1000]}: "
                "correct the settings or the data",
            )

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in order, columns in the order of `names`; CSV as text, Parquet as it is typed.

        Raises:
            Refused: unreadable, or more rows than allowed.
        """
        rows = 0
        try:
            for batch in self._parquet(names) if self.is_parquet else self._csv(names):
                rows += batch.num_rows
                if rows > self._bounds.most_rows:
                    raise Refused(
                        AssessmentRefusal.TOO_LARGE,
                        f"the data has more than {self._bounds.most_rows:,} rows: "
                        "draw a random sample of them",
                    )
                yield batch.select(list(names))
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise self._unreadable(error) from error

    def _names(self) -> tuple[str, ...]:
        try:
            if self.is_parquet:
                with pq.ParquetFile(self._path) as file:
                    names = file.schema_arrow.names
            else:
                self._require_text()
                with self._open_csv(None) as reader:
                    names = reader.schema.names
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise self._unreadable(error) from error
        if len(names) > _MOST_COLUMNS:
            raise Refused(
                AssessmentRefusal.TOO_LARGE,
                f"the data has {len(names):,} columns, {_MOST_COLUMNS:,} are allowed: "
                "leave out what is not assessed",
            )
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise Refused(
                AssessmentRefusal.DATA_UNREADABLE,
                f"columns are named twice: {', '.join(twice)[:500]}; rename them",
            )
        return tuple(names)

    def _require_text(self) -> None:
        # Arrow reads any bytes as CSV, and calls the first line of a picture a heading.
        with self._path.open("rb") as file:
            start = file.read(65_536)
        try:
            codecs.getincrementaldecoder("utf-8")().decode(start)
        except UnicodeError as error:
            raise self._unreadable(error) from error
        if b"\x00" in start or not start.strip():
            raise self._unreadable(ValueError("no text" if start.strip() else "empty"))

    def _parquet(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self._path, memory_map=False) as file:
            binary = any(
                pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
                for kind in (file.schema_arrow.field(name).type for name in names)
            )
            size = _BATCH_ROWS_BINARY if binary else _BATCH_ROWS
            yield from file.iter_batches(size, columns=list(names), use_threads=False)

    def _csv(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with self._open_csv(names) as reader:
            yield from reader

    def _open_csv(self, names: Sequence[str] | None) -> Any:
        # Text first: a column may hold numbers for a million rows, and then a word.
        options = pc.ConvertOptions(
            column_types=dict.fromkeys(names or (), pa.string()),
            include_columns=list(names) if names else None,
            null_values=_MISSING,
            strings_can_be_null=True,
        )
        return pc.open_csv(
            self._path,
            read_options=pc.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=pc.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )

    def _unreadable(self, error: BaseException) -> Refused:
        kind = "Parquet" if self.is_parquet else "CSV in UTF-8"
        return Refused(
            AssessmentRefusal.DATA_UNREADABLE,
            f"the data cannot be read as {kind} ({str(error)[:300]}): "
            "give a CSV with a heading, or Parquet",
        )
