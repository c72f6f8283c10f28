"""Parity is what the values themselves say, whatever the order of groups and however many."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.alerting.parity import parity_of
from tests.unit.processors.alert_log import window

#: Multiples of 1/8, which a sum keeps exactly.
VALUES = st.lists(st.integers(0, 80).map(lambda eighths: eighths / 8), min_size=1, max_size=12)
GROUPS = st.dictionaries(st.sampled_from("abcdefg"), VALUES, min_size=2)


@given(GROUPS, st.integers(1, 4), st.data())
def test_parity_is_that_of_the_values(
    groups: dict[str, list[float]], minimum: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sorted(groups)))
    found = parity_of(
        window(10, {f"missed@{group}": groups[group] for group in order}), "missed", minimum
    )

    judged = {group: values for group, values in groups.items() if len(values) >= minimum}
    means = {group: sum(map(Fraction, of)) / len(of) for group, of in judged.items()}
    if len(judged) < 2:
        assert found is None
        return
    assert found is not None
    assert found.samples == sum(map(len, judged.values()))
    least, greatest = min(means.values()), max(means.values())
    assert means[found.least.group] == least
    assert means[found.greatest.group] == greatest
    assert found.least.group != found.greatest.group
    assert found.difference == float(greatest - least)
    assert found.ratio == (float(least / greatest) if greatest else 1.0)
    assert 0 <= found.ratio <= 1


@given(GROUPS, st.integers(2, 5))
def test_a_ratio_knows_no_unit_and_no_size_of_groups(
    groups: dict[str, list[float]], times: int
) -> None:
    plain, scaled, repeated = (
        parity_of(window(10, {f"m@{group}": values for group, values in held.items()}), "m", 1)
        for held in (
            groups,
            {group: [times * value for value in values] for group, values in groups.items()},
            {group: values * times for group, values in groups.items()},
        )
    )

    assert plain is not None
    assert scaled is not None
    assert repeated is not None
    assert plain.ratio == scaled.ratio == repeated.ratio
    assert plain.difference == repeated.difference


#: Values that differ by less than a sum keeps of them, and others.
NEARLY_EQUAL = st.sampled_from((0.0, 1e-13, 2e-13, 0.1, 0.3 - 0.2, 1 / 3, 1 - 2 / 3, 0.5))


@given(
    st.dictionaries(
        st.sampled_from("abcd"), st.lists(NEARLY_EQUAL, min_size=1, max_size=30), min_size=2
    )
)
def test_groups_that_differ_by_rounding_are_judged_like_any_others(
    groups: dict[str, list[float]],
) -> None:
    found = parity_of(window(10, {f"m@{group}": held for group, held in groups.items()}), "m", 1)

    assert found is not None
    if max(map(max, groups.values())) - min(map(min, groups.values())) < 1e-12:
        assert found.may_be_chance
