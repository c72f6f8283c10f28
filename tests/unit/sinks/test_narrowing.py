"""A search looks at candidates page by page until enough of them are confirmed."""

from collections.abc import Callable, Sequence

import pytest

from modeltrail.sinks.queries.narrowing import newest


def pages_of(keys: Sequence[int], asked: list[int]) -> Callable[[int, int], Sequence[int]]:
    def candidates(offset: int, most: int) -> Sequence[int]:
        asked.append(offset)
        return keys[offset : offset + most]

    return candidates


def even(keys: Sequence[int]) -> Sequence[int]:
    return [key for key in keys if key % 2 == 0]


@pytest.mark.parametrize("limit", [1, 50, 199, 450])
def test_candidates_that_are_not_confirmed_make_room_for_others(limit: int) -> None:
    keys = range(1_000)
    assert newest(pages_of(keys, []), even, limit) == list(keys[::2])[:limit]


def test_it_stops_when_there_are_no_more_candidates() -> None:
    assert newest(pages_of(range(10), []), even, 50) == [0, 2, 4, 6, 8]
    assert newest(pages_of([], []), even, 50) == []


def test_a_candidate_that_several_facts_speak_for_is_given_once() -> None:
    keys = [4, 4, 2, 4, 2, 6] * 50
    assert newest(pages_of(keys, []), even, 4) == [4, 2, 6]


def test_one_page_is_asked_for_where_every_candidate_is_confirmed() -> None:
    asked: list[int] = []
    newest(pages_of(range(1_000), asked), list, 50)
    assert asked == [0]
