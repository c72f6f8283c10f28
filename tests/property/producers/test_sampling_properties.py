"""Sampling is a function of session, frame and rate, and takes the share that it says."""

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.producers.monitoring.sampling import is_sampled, session_seed

SESSIONS = st.text(min_size=1, max_size=30).filter(str.isprintable)


@given(SESSIONS, st.integers(0, 2**63 - 1), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_rate_only_adds_frames(session: str, frame: int, one: float, other: float) -> None:
    seed = session_seed(session)
    low, high = sorted((one, other))

    assert not is_sampled(seed, frame, low) or is_sampled(seed, frame, high)
    assert not is_sampled(seed, frame, 0.0)
    assert is_sampled(seed, frame, 1.0)


@given(SESSIONS, st.integers(0, 2**40), st.floats(0.05, 0.95))
def test_the_share_of_consecutive_frames_is_the_rate(session: str, start: int, rate: float) -> None:
    seed = session_seed(session)
    taken = sum(is_sampled(seed, frame, rate) for frame in range(start, start + 2000))

    # Six standard deviations of 2,000 independent draws.
    assert abs(taken / 2000 - rate) < 6 * (rate * (1 - rate) / 2000) ** 0.5
