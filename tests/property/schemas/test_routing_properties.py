"""Whatever the salt and the sessions: assignment is sticky, monotone, and meets its shares."""

from math import sqrt

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.schemas.events import RoutedArm, RoutingSet
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE, arm_of

SHARES = st.integers(0, WHOLE)
SESSIONS = st.text(min_size=1, max_size=40)
# One in 16 million honest assignments is further away from its share.
DEVIATIONS = 5.4


def routing(salt: str, share: int, revision: int = 1) -> RoutingSet:
    arms = tuple(
        RoutedArm(name, Version(version), Sha256(bytes(32)), "", 1, (), part)
        for name, version, part in (
            (CANDIDATE, "v2.0.0", share),
            (CHAMPION, "v1.0.0", WHOLE - share),
        )
    )
    about = ("production", ModelId("centerface"), revision, salt, arms)
    return RoutingSet(EventId(bytes(16)), Micros(revision), *about)


def name_of(salt: str, share: int, session: str, revision: int = 1) -> str:
    found = arm_of(routing(salt, share, revision), session)
    assert found is not None
    return found.arm


@given(st.text(), SHARES, SESSIONS, st.integers(1, 10**9))
def test_a_session_stays_in_its_arm_at_every_revision(
    salt: str, share: int, session: str, revision: int
) -> None:
    assert name_of(salt, share, session) == name_of(salt, share, session, revision)


@given(st.text(), SHARES, SHARES, SESSIONS)
def test_a_larger_share_only_moves_sessions_to_the_candidate(
    salt: str, one: int, other: int, session: str
) -> None:
    less, more = sorted((one, other))
    if name_of(salt, less, session) == CANDIDATE:
        assert name_of(salt, more, session) == CANDIDATE


@given(st.text(max_size=40), SHARES, st.text(max_size=10))
def test_shares_are_met_within_the_binomial_error(salt: str, share: int, prefix: str) -> None:
    count = 1000
    found = sum(name_of(salt, share, f"{prefix}{number}") == CANDIDATE for number in range(count))
    expected = share / WHOLE
    error = DEVIATIONS * sqrt(count * expected * (1 - expected)) + 1
    assert abs(found - count * expected) <= error
