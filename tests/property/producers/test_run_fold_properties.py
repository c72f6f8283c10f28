"""A run's final metrics depend on steps and append order alone, also when facts are sent again."""

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.producers.experiments.fold import RunHistory, fold
from modeltrail.schemas.events import MetricsLogged
from modeltrail.schemas.ids import EventId, Micros, RunId

NAMES = ("loss", "recall", "latency")
FACTS = st.lists(
    st.builds(
        lambda step, values: MetricsLogged(
            EventId(bytes(16)),
            Micros(0),
            RunId("run"),
            step,
            NAMES[: len(values)],
            tuple(values),
        ),
        st.none() | st.integers(0, 5),
        st.lists(st.floats(-10, 10), min_size=1, max_size=3),
    ),
    max_size=30,
)


def folded(facts: list[MetricsLogged]) -> RunHistory:
    run = RunHistory()
    for fact in facts:
        run = fold(run, fact)
    return run


def finals(facts: list[MetricsLogged]) -> dict[str, float]:
    return {name: final.value for name, final in folded(facts).finals.items()}


@given(FACTS)
def test_the_final_value_is_the_last_of_the_highest_step(facts: list[MetricsLogged]) -> None:
    for name, value in finals(facts).items():
        logged = [
            (fact.step, dict(zip(fact.names, fact.values, strict=True))[name])
            for fact in facts
            if name in fact.names
        ]
        without = [number for step, number in logged if step is None]
        highest = max((step for step, _ in logged if step is not None), default=None)
        assert value == (without or [number for step, number in logged if step == highest])[-1]


@given(FACTS)
def test_the_range_is_that_of_all_values_at_the_first_step_that_had_them(
    facts: list[MetricsLogged],
) -> None:
    logged: dict[str, list[tuple[float, bool, int]]] = {}
    for fact in facts:
        for name, value in zip(fact.names, fact.values, strict=True):
            logged.setdefault(name, []).append((value, fact.step is None, fact.step or 0))
    ranges = folded(facts).ranges
    assert set(ranges) == set(logged)
    for name, seen in ranges.items():
        lowest, highest = seen.lowest, seen.highest
        assert (lowest.value, lowest.step is None, lowest.step or 0) == min(logged[name])
        assert (-highest.value, highest.step is None, highest.step or 0) == min(
            (-value, final, step) for value, final, step in logged[name]
        )


@given(FACTS, st.data())
def test_a_stretch_that_is_sent_again_changes_nothing(
    facts: list[MetricsLogged], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(facts)))
    end = data.draw(st.integers(start, len(facts)))

    again = folded([*facts[:end], *facts[start:]])
    assert finals([*facts[:end], *facts[start:]]) == finals(facts)
    assert again.ranges == folded(facts).ranges
