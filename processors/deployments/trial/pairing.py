"""Pairs sessions of the two arms that ran at about the same time, so that arms weigh the same.

With few sessions in one arm and many in the other the difference of the means is as skewed as a
session value, and tests of means then err far more often than they say. The difference inside a
pair of like sessions is symmetric whatever the shape of the values and whatever the share of the
candidate, and what changes over the day changes both sides of a pair.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Counted(NamedTuple):
    """A session that counted: when its last frame was captured (us), a digest of its id, means."""

    at_us: int
    session: str
    means: tuple[float | None, ...]


class Pair(NamedTuple):
    """A champion session and a candidate session."""

    champion: Counted
    candidate: Counted


def pairs_of(champion: Iterable[Counted], candidate: Iterable[Counted]) -> list[Pair]:
    """Pair each session with the latest one before it of the other arm that is still alone.

    It depends on the times only, never on the values, and not on the order of what is given. Every
    session of the smaller arm is in a pair. A later session never changes a pair, and neither does
    it if sessions that are in no pair are left out.

    Returns:
        The pairs in the order in which they became complete.
    """
    marked = [(each.at_us, each.session, True, each) for each in champion]
    marked += [(each.at_us, each.session, False, each) for each in candidate]
    marked.sort(key=lambda each: each[:3])
    alone: list[Counted] = []
    of_champion = True
    pairs = []
    for _, _, is_champion, session in marked:
        if not alone or of_champion == is_champion:
            of_champion = is_champion
            alone.append(session)
        elif is_champion:
            pairs.append(Pair(session, alone.pop()))
        else:
            pairs.append(Pair(alone.pop(), session))
    return pairs
