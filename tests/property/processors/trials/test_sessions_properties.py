"""Where a fetch ends changes nothing, and the columns give what counting one by one gives."""

from collections import defaultdict
from functools import reduce
from operator import add

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.schemas.events import Fact, InferenceMeasured, SessionValue
from modeltrail.schemas.ids import NodeId
from tests.unit.processors.trials.inference_log import TRIAL, measured, news_of, records

FRAMES = st.builds(
    lambda session, node, frame, arm, latency, blur: measured(
        f"s{session}",
        frame,
        arm,
        node_id=NodeId(f"gate-{node}"),
        latency_ms=latency,
        extra_names=() if blur is None else ("blur",),
        extra_values=() if blur is None else (blur,),
    ),
    st.integers(0, 4),
    st.integers(0, 1),
    st.integers(0, 1000),
    st.sampled_from(["champion", "candidate"]),
    st.one_of(st.none(), st.floats(0, 1e9)),
    st.one_of(st.none(), st.floats(-1e-9, 1e9)),
)
LOGS = st.lists(FRAMES, min_size=1, max_size=60)


def counted_one_by_one(log: list[InferenceMeasured]) -> tuple[list[SessionValue], tuple[int, int]]:
    """The same as a loop over measurements."""
    known: dict[tuple[str, str], list[InferenceMeasured]] = defaultdict(list)
    nodes: set[str] = set()
    seen: set[str] = set()
    begun = {"champion": 0, "candidate": 0}
    values = []
    for fact in log:
        if fact.session_id not in seen and fact.node_id in nodes:
            begun[fact.arm] += 1
        seen.add(fact.session_id)
        if fact.arm == "candidate":
            nodes.add(fact.node_id)
        mine = known[fact.session_id, fact.arm]
        mine.append(fact)
        if len(mine) == TRIAL.frames_per_session:
            values.append(value_of(mine))
    return values, (begun["champion"], begun["candidate"])


def value_of(facts: list[InferenceMeasured]) -> SessionValue:
    last = facts[-1]
    latencies = [fact.latency_ms for fact in facts if fact.latency_ms is not None]
    blurs = [fact.extra_values[0] for fact in facts if fact.extra_values]
    return SessionValue(
        last.session_id,
        last.node_id,
        last.arm,
        last.version,
        len(facts),
        max(fact.captured_at for fact in facts),
        tuple(_mean(each) if each else None for each in (latencies, blurs)),
    )


def _mean(values: list[float]) -> float:
    # Not sum(): newer Pythons round it otherwise than one addition after the other.
    return reduce(add, values, 0.0) / len(values)


@given(LOGS, st.data())
def test_sessions_are_the_same_wherever_fetches_end(
    log: list[InferenceMeasured], data: st.DataObject
) -> None:
    facts: list[Fact] = list(log)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=8)))
    news = news_of(records(facts), cuts)
    expected, begun = counted_one_by_one(log)
    assert [value for fact in news for value in fact.sessions] == expected
    told = (news[-1].champion_started, news[-1].candidate_started) if news else (0, 0)
    assert told == begun
