"""Searches by two queries: one finds candidates in narrow columns, the other looks at them closely.

A view gives every run or version as it is now, for which it reads all their facts: too much to do
for a million. So the candidates, the newest first, are those that some fact speaks for; what later
facts say decides whether they stay.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

#: Ids may have 1,000 characters, and all of a page go into one query of at most 256 KiB.
_PAGE = 200

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


def newest(
    candidates: Callable[[int, int], Sequence[Key]],
    confirmed: Callable[[Sequence[Key]], Sequence[Row]],
    limit: int,
) -> list[Row]:
    """The first `limit` rows that are confirmed, in the order of their candidates.

    Args:
        candidates: gives so many keys from an offset on, newest first; none left out that counts.
        confirmed: gives the rows of those keys that meet the conditions, newest first.
        limit: most rows.
    """
    rows: list[Row] = []
    seen: set[Key] = set()
    offset, size = 0, min(limit, _PAGE)
    while len(rows) < limit:
        page = candidates(offset, size)
        # Several facts may speak for the same one.
        new = [key for key in dict.fromkeys(page) if key not in seen]
        if new:
            rows += confirmed(new)
        if len(page) < size:
            break
        seen.update(new)
        offset, size = offset + size, _PAGE
    return rows[:limit]
