"""Reads the columns that a reference profile is made of: from a file, or as nodes measured them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from clickhouse_driver import errors

from modeltrail.infra.clickhouse import make_reader
from modeltrail.infra.config import ClickHouseSettings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.profiling.profile import Dataset
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.ids import Sha256
from modeltrail.schemas.measures import MEASURES

Floats = npt.NDArray[np.float64]

#: What shows that a node sees something else, rather than that it is slower.
INPUT_FEATURES = ("luma_mean", "luma_std", "laplacian_var", "face_size", "detection_score")
_MISSING = ("", "NA", "N/A", "null")
_MOST_ROWS = 1_000_000
_EXTRA = (
    "arrayMap(name -> if(has(extra_names, name), "
    "extra_values[indexOf(extra_names, name)], nan), %(extra)s)"
)
_READ_BYTES = 1 << 20
_FROM = """
    FROM measurements
    WHERE model_id = %(model)s AND version = %(version)s
    AND captured_at >= %(since)s AND captured_at < %(until)s
    AND (%(environment)s = '' OR environment = %(environment)s)"""


@dataclass(frozen=True, slots=True)
class Columns:
    """A data set and its values by metric name, each 1-d; NaN is a missing one.

    `left_out` names the columns of a file that hold no numbers, where none were asked for.
    """

    dataset: Dataset
    values: Mapping[str, Floats]
    left_out: tuple[str, ...] = ()


def from_file(path: Path, name: str, features: Sequence[str]) -> Columns:
    """The columns of a CSV or Parquet file; without `features`, all that hold numbers.

    Raises:
        InvalidFact: it cannot be read, or a feature is no column of numbers in it.
    """
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidFact(
            f"{path} cannot be read as {'Parquet' if path.suffix == '.parquet' else 'CSV'} "
            f"({error}): give a table with a heading"
        ) from error
    numeric = [column for column in frame.columns if frame[column].dtype.is_numeric()]
    for feature in features:
        if feature not in numeric:
            raise InvalidFact(
                f"{path} has no column of numbers named {feature}: it has {', '.join(numeric)}"
            )
    values = {
        column: frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        for column in (features or numeric)
    }
    left_out = () if features else tuple(each for each in frame.columns if each not in numeric)
    return Columns(Dataset(name or path.name, _sha256_of(path), len(frame)), values, left_out)


def _read_csv(path: Path) -> pl.DataFrame:
    # Types follow from all rows: a measure may have no value, or only whole ones, for long.
    return pl.read_csv(path, infer_schema_length=None, null_values=list(_MISSING))


def from_measurements(
    settings: ClickHouseSettings,
    model: RegisteredModel,
    features: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    environment: str = "",
    name: str = "",
) -> Columns:
    """What nodes measured of a version in [since, until); beyond a million rows, some of them.

    The SHA-256 is of the values, as little-endian float64, feature by feature.

    Raises:
        InvalidFact: there is no such measurement.
        ConfigError: no ClickHouse is configured and no embedded stack is running.
        Unavailable: ClickHouse does not answer, or refuses.
    """
    names = tuple(features) or INPUT_FEATURES
    parameters: dict[str, Any] = {
        "model": model.model_id,
        "version": model.version,
        "since": since,
        "until": until,
        "environment": environment,
        "extra": [feature for feature in names if feature not in MEASURES],
    }
    rows = _read(settings, names, parameters)
    if not rows:
        raise InvalidFact(
            f"nothing was measured of {model.model_id} {model.version} from {since} to {until}: "
            "widen --since and --until"
        )
    columns = np.array([_flat(row) for row in rows], dtype=np.float64).T
    ordered = [feature for feature in names if feature in MEASURES] + parameters["extra"]
    values = {feature: np.ascontiguousarray(columns[ordered.index(feature)]) for feature in names}
    # A measure that this model does not have is only an error where somebody asked for it.
    held = {key: column for key, column in values.items() if features or np.isfinite(column).any()}
    digest = hashlib.sha256(b"".join(column.astype("<f8").tobytes() for column in held.values()))
    label = name or f"measurements {since:%Y-%m-%dT%H:%M:%S}Z to {until:%Y-%m-%dT%H:%M:%S}Z"
    return Columns(Dataset(label, Sha256(digest.digest()), len(rows)), held)


def _read(
    settings: ClickHouseSettings, names: Sequence[str], parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    client = make_reader(settings)
    try:
        count = client.execute("SELECT count()" + _FROM, parameters)[0][0]
        nth = max(1, -(-count // _MOST_ROWS))
        rows: list[tuple[Any, ...]] = client.execute(_selection(names), {**parameters, "nth": nth})
    except (errors.Error, OSError, EOFError) as error:
        said = str(error).split("Stack trace:")[0].strip()
        raise Unavailable(
            f"ClickHouse at {settings.host}:{settings.port} gives no measurements ({said}): "
            "`modeltrail doctor` says what is wrong"
        ) from error
    finally:
        client.disconnect()
    return rows


def _selection(names: Sequence[str]) -> str:
    """Standard measures by their column, from the closed list; others by a parameter."""
    standard = [name for name in names if name in MEASURES]
    # An empty list has no type in SQL.
    extra = _EXTRA if len(standard) < len(names) else "emptyArrayFloat64()"
    columns = ", ".join([*(f"toFloat64({name})" for name in standard), extra])
    some = " AND cityHash64(event_id) %% %(nth)s = 0 ORDER BY captured_at, node_id, frame, event_id"
    return f"SELECT {columns}" + _FROM + some


def _flat(row: Sequence[Any]) -> list[Any]:
    return [*row[:-1], *row[-1]]


def _sha256_of(path: Path) -> Sha256:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return Sha256(digest.digest())
