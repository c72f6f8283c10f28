"""Answers how the metrics of a run went, in at most so many points a curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse_driver import Client

_CURVES = """
SELECT name, first_step, mean, minimum, maximum
FROM metric_curves(run = %(run_id)s, points = %(points)s)
WHERE empty(%(names)s) OR has(%(names)s, name)
ORDER BY name, first_step
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric over its steps: parallel, one entry for each range of steps that holds values.

    `steps` are the first ones of each range, rising; values are mean, smallest and largest of it.
    """

    steps: tuple[int, ...]
    means: tuple[float, ...]
    minima: tuple[float, ...]
    maxima: tuple[float, ...]


def metric_history(
    client: Client, run_id: str, names: Sequence[str] | None = None, most_points: int = 2000
) -> dict[str, Curve]:
    """The curves of a run's metrics by name; values without a step are not in them.

    Args:
        client: of an account that may read; its current database is asked.
        run_id: which run.
        names: which metrics; None: all.
        most_points: most points of a curve; more steps are drawn together.
    """
    rows = client.execute(
        _CURVES, {"run_id": run_id, "names": list(names or ()), "points": most_points}
    )
    points: dict[str, list[tuple[int, float, float, float]]] = {}
    for name, *point in rows:
        points.setdefault(name, []).append(tuple(point))
    return {name: Curve(*zip(*rows, strict=True)) for name, rows in points.items()}
