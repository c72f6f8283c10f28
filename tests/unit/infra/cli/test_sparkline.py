"""A curve as one line of blocks."""

import pytest

from modeltrail.infra.cli.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([0.5], "▅"),
        ([3, 3, 3], "▅▅▅"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1, 0], "█▁"),
        ([-1.7e308, 1.7e308], "▁█"),
        ([1e-320, 3e-320], "▁█"),
    ],
)
def test_values_lie_between_the_lowest_and_the_highest_block(
    values: list[float], line: str
) -> None:
    assert sparkline(values) == line


def test_many_values_are_drawn_together_by_their_mean() -> None:
    assert sparkline([0, 0, 10, 10, 4, 6], width=3) == "▁█▅"
    assert len(sparkline(range(100_001))) == 24
