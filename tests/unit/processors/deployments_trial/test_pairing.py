"""Sessions of the arms are paired with the nearest before them, whatever their values are."""

from modeltrail.processors.deployments.trial.pairing import Counted, Pair, pairs_of


def at(*moments: int) -> list[Counted]:
    return [Counted(at_us, f"s{at_us}", (1.0,)) for at_us in moments]


def moments(pairs: list[Pair]) -> list[tuple[int, int]]:
    """When the champion's and the candidate's sessions of the pairs were."""
    return [(champion.at_us, candidate.at_us) for champion, candidate in pairs]


def test_sessions_in_turns_make_pairs_in_the_order_of_time() -> None:
    assert moments(pairs_of(at(1, 3), at(2, 4))) == [(1, 2), (3, 4)]


def test_a_rare_candidate_session_is_paired_with_the_champion_session_just_before_it() -> None:
    pairs = pairs_of(at(*range(0, 200, 2)), at(101, 181))
    assert moments(pairs) == [(100, 101), (180, 181)]


def test_a_session_that_found_nobody_waits() -> None:
    assert moments(pairs_of(at(2, 3), at(1, 9))) == [(2, 1), (3, 9)]


def test_every_session_of_the_smaller_arm_is_in_a_pair() -> None:
    assert len(pairs_of(at(1, 2, 9), at(3, 4, 5, 6))) == 3


def test_one_arm_alone_makes_no_pair() -> None:
    assert pairs_of(at(1, 2), []) == []
