"""A persistent map holds what a dict would, and no change reaches an older one."""

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.persistent_map import PersistentMap

# The first seven share a hash: no bits are left to tell them apart.
KEYS = st.integers(-3, 3).map(lambda n: n * (2**61 - 1)) | st.integers(0, 200)
CHANGES = st.lists(st.tuples(st.booleans(), KEYS, st.integers()), max_size=300)


@given(CHANGES)
def test_it_holds_what_a_dict_would(changes: list[tuple[bool, int, int]]) -> None:
    expected: dict[int, int] = {}
    found: PersistentMap[int, int] = PersistentMap()
    for put, key, value in changes:
        if put:
            expected[key] = value
            found = found.put(key, value)
        else:
            expected.pop(key, None)
            found = found.without(key)

    assert dict(found) == expected
    assert len(found) == len(expected)
    assert all(found[key] == value for key, value in expected.items())


@given(CHANGES, CHANGES)
def test_an_older_map_never_changes(
    before: list[tuple[bool, int, int]], after: list[tuple[bool, int, int]]
) -> None:
    old: PersistentMap[int, int] = PersistentMap()
    for _, key, value in before:
        old = old.put(key, value)
    kept = dict(old)

    new = old
    for put, key, value in after:
        new = new.put(key, value) if put else new.without(key)

    assert dict(old) == kept


def test_many_keys_of_one_hash_share_a_leaf() -> None:
    class Same(int):
        def __hash__(self) -> int:
            return 7

    found: PersistentMap[Same, int] = PersistentMap()
    for number in range(100):
        found = found.put(Same(number), number)
    assert sorted(found.values()) == list(range(100))
