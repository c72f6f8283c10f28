"""Sessions are given to arms by salt and session alone."""

import hashlib

import pytest

from modeltrail.schemas.events import RoutedArm, RoutingSet
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version
from modeltrail.schemas.routing import CANDIDATE, CHAMPION, WHOLE, arm_of, bucket_of


def arm(name: str, share: int) -> RoutedArm:
    return RoutedArm(name, Version(f"v{share}.0.0"), Sha256(bytes(32)), "file:///m", 1, (), share)


def routing(*arms: RoutedArm, salt: str = "0f" * 16) -> RoutingSet:
    return RoutingSet(
        EventId(bytes(16)), Micros(1), "production", ModelId("centerface"), 1, salt, arms
    )


def test_a_bucket_is_the_start_of_the_hash_of_salt_and_session() -> None:
    digest = hashlib.sha256(b"salt\x1fmorning").digest()
    assert bucket_of("salt", "morning") == int.from_bytes(digest[:8], "big") % WHOLE


def test_one_arm_with_everything_serves_every_session() -> None:
    only = arm(CHAMPION, WHOLE)
    assert {arm_of(routing(only), f"session {number}") for number in range(100)} == {only}


def test_without_an_arm_a_session_belongs_to_nobody() -> None:
    assert arm_of(routing(), "morning") is None


@pytest.mark.parametrize("order", [1, -1], ids=["champion first", "candidate first"])
def test_the_candidate_owns_the_first_buckets_however_the_arms_are_ordered(order: int) -> None:
    arms = (arm(CHAMPION, 7500), arm(CANDIDATE, 2500))[::order]
    for number in range(200):
        found = arm_of(routing(*arms), f"session {number}")
        assert found is not None
        owned = bucket_of("0f" * 16, f"session {number}") < 2500
        assert found.arm == (CANDIDATE if owned else CHAMPION)


def test_an_arm_without_a_share_serves_nobody() -> None:
    arms = (arm(CANDIDATE, 0), arm(CHAMPION, WHOLE))
    found = [arm_of(routing(*arms), f"session {number}") for number in range(200)]
    assert all(each is not None and each.arm == CHAMPION for each in found)


def test_another_salt_deals_the_sessions_anew() -> None:
    # given two deployments at half the traffic
    arms = (arm(CANDIDATE, 5000), arm(CHAMPION, 5000))
    names = [f"session {number}" for number in range(2000)]
    first = [arm_of(routing(*arms, salt="a"), name) for name in names]
    second = [arm_of(routing(*arms, salt="b"), name) for name in names]
    # then being in the one's candidate says nothing about the other's
    same = sum(one == other for one, other in zip(first, second, strict=True))
    assert 880 < same < 1120
