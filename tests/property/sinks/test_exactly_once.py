"""Any writers, interleaved and killed at any step, land every row exactly once."""

import itertools
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.sinks.projector.fold import (
    Mark,
    Range,
    State,
    after,
    insert_token,
    next_range,
    position_after,
)
from modeltrail.sinks.projector.protocol import (
    Answer,
    Insert,
    ReadMarks,
    Step,
    WriteMarks,
    take_over,
    write,
)

KEYS = ("p0", "p1")
PARTS = 3


@dataclass
class World:
    """Kafka's log, the marks, and a table that remembers tokens."""

    log_end: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    marks: list[tuple[str, Mark]] = field(default_factory=list)
    rows: Counter[tuple[str, int]] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)

    def read(self, keys: tuple[str, ...]) -> dict[str, list[Mark]]:
        # Of each claim and state only the newest range is kept, as the table does.
        newest: dict[tuple[str, object, State], Mark] = {}
        for key, mark in self.marks:
            place = (key, mark.claim, mark.state)
            if place not in newest or newest[place].range.end <= mark.range.end:
                newest[place] = mark
        return {key: [mark for (k, _, _), mark in newest.items() if k == key] for key in keys}

    def insert(self, key: str, of: Range, part: int) -> None:
        token = insert_token("projector", "rows", "topic", KEYS.index(key), of, str(part))
        if token not in self.tokens:
            self.tokens.add(token)
            offsets = range(of.first, min(of.end, self.log_end[key]))
            self.rows.update((key, offset) for offset in offsets if offset % PARTS == part)


def perform(
    world: World, steps: Generator[Step[str, None], Answer[str], object], flaky: Iterator[bool]
) -> Generator[None, None, Any]:
    """Run a protocol generator one effect a turn; an insert may fail after its effect."""
    answer: Answer[str] = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as finished:
            return finished.value
        answer = None
        match step:
            case ReadMarks(keys):
                answer = world.read(keys)
                yield
            case WriteMarks(marks):
                world.marks += marks.items()
                yield
            case Insert(key, of, _):
                for part in range(PARTS):
                    world.insert(key, of, part)
                    yield
                answer = not next(flaky, False)


def writer(
    world: World, name: str, sizes: Iterator[int], flaky: Iterator[bool], stale: Iterator[bool]
) -> Iterator[None]:
    """A projector that owns what it claims until it is fenced."""
    taken = yield from perform(world, take_over(KEYS, name), flaky)
    positions = dict(taken)
    while positions:
        ranges = {}
        for key, (claim, position) in positions.items():
            of = next_range(
                position, world.log_end[key], limit=position.next_offset + next(sizes, 5)
            )
            if of is not None:
                ranges[key] = (claim, of, None)
        if not ranges:
            yield
            continue
        lost = yield from perform(world, write(ranges, lambda: next(stale, False)), flaky)
        for key in lost:
            del positions[key]
        for key, (claim, of, _) in ranges.items():
            if key not in lost:
                positions[key] = (claim, after(of))


actions = st.one_of(
    st.tuples(st.just("append"), st.sampled_from(KEYS), st.integers(1, 7)),
    st.tuples(st.just("start"), st.just(""), st.integers(0, 0)),
    st.tuples(st.just("kill"), st.just(""), st.integers(0, 5)),
    st.tuples(st.just("run"), st.just(""), st.integers(0, 5)),
    st.tuples(st.just("run"), st.just(""), st.integers(0, 5)),
    st.tuples(st.just("run"), st.just(""), st.integers(0, 5)),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(actions, max_size=120),
    st.lists(st.integers(1, 6), max_size=60),
    st.lists(st.booleans(), max_size=40),
    st.lists(st.booleans(), max_size=40),
)
def test_rows_land_exactly_once_however_writers_die_and_interleave(
    script: list[tuple[str, str, int]],
    sizes: list[int],
    flaky: list[bool],
    stale: list[bool],
) -> None:
    world = World()
    chances = (iter(sizes), iter(flaky), iter(stale))
    running: list[Iterator[None]] = []
    started = 0
    for what, key, number in script:
        if what == "append":
            world.log_end[key] += number
        elif what == "start":
            started += 1
            # Ids are random: a later writer may have the smaller one.
            running.append(writer(world, f"{started * 7919 % 101:03}", *chances))
        elif running:
            chosen = number % len(running)
            if what == "kill" or next(running[chosen], "over") == "over":
                running.pop(chosen)

    world.log_end = {key: end + 1 for key, end in world.log_end.items()}
    last = writer(world, "last", iter(()), iter(()), iter(()))
    for _ in range(2000):
        next(last, None)
        if all(
            position_after(world.read(KEYS)[key]).next_offset == world.log_end[key] for key in KEYS
        ):
            break
    expected = Counter((key, offset) for key in KEYS for offset in range(world.log_end[key]))
    assert world.rows == expected

    # Zombies that wake after everything is done change nothing.
    for zombie in running:
        for _ in range(30):
            next(zombie, None)
    assert world.rows == expected


def turns(actor: Iterator[None], count: int) -> None:
    for _ in range(count):
        next(actor, None)


@pytest.mark.parametrize("first", range(13))
def test_rows_land_exactly_once_in_every_interleaving_of_two_zombies_and_a_third(
    first: int,
) -> None:
    for second, third, fourth in itertools.product(range(13), range(9), range(4)):
        world = World()
        world.log_end = {"p0": 12, "p1": 0}
        older = writer(world, "a", itertools.repeat(6), iter(()), iter(()))
        newer = writer(world, "b", itertools.repeat(4), iter(()), iter(()))
        newest = writer(world, "c", itertools.repeat(5), iter(()), iter(()))
        turns(older, first)
        turns(newer, second)
        turns(older, third)
        turns(newer, fourth)
        turns(newest, 40)
        turns(newer, 30)
        turns(older, 30)
        assert world.rows == Counter(("p0", offset) for offset in range(12)), (
            second,
            third,
            fourth,
        )


def test_the_simulation_notices_a_writer_that_ignores_its_successor() -> None:
    world = World()
    world.log_end["p0"] = 10
    zombie = writer(world, "a", iter([6] * 4), iter(()), iter(()))
    successor = writer(world, "b", iter([4] * 9), iter(()), iter(()))
    for _ in range(3):
        next(zombie)
    fenced = world.read
    for _ in range(40):
        next(successor)
    world.read = lambda keys: {key: [] for key in keys}  # type: ignore[method-assign]
    for _ in range(10):
        next(zombie, None)
    world.read = fenced  # type: ignore[method-assign]
    assert max(world.rows.values()) > 1
