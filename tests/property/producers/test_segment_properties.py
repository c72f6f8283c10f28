"""A segment gives back what was written, whatever happens to its file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.producers.spooling.segment import HEADER_BYTES, Segment

SIZE = 4096
BODIES = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=20)


@contextmanager
def segment_of(bodies: list[bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.segment"
        segment = Segment.create(path, SIZE)
        assert all(segment.append(body) for body in bodies)
        yield path


def read(path: Path) -> tuple[list[bytes], list[bytes]]:
    segment = Segment.reopen(path)
    entries = list(segment.entries(HEADER_BYTES, segment.written))
    intact = [body for body, _, whole in entries if whole]
    return intact, [body for body, _, whole in entries if not whole]


@given(BODIES)
def test_everything_that_was_appended_is_there_again(bodies: list[bytes]) -> None:
    with segment_of(bodies) as path:
        assert read(path) == (bodies, [])


@given(BODIES, st.integers(HEADER_BYTES, SIZE))
def test_a_file_cut_anywhere_keeps_the_entries_before_the_cut(
    bodies: list[bytes], cut: int
) -> None:
    with segment_of(bodies) as path:
        with path.open("r+b") as file:
            file.truncate(cut)

        intact, _ = read(path)

        assert intact == bodies[: len(intact)]
        kept = HEADER_BYTES + sum(8 + len(body) for body in bodies[: len(intact) + 1])
        assert len(intact) == len(bodies) or cut < kept


@given(BODIES, st.data())
def test_a_damaged_byte_never_makes_a_fact_that_nobody_wrote(
    bodies: list[bytes], data: st.DataObject
) -> None:
    used = HEADER_BYTES + sum(8 + len(body) for body in bodies)
    at = data.draw(st.integers(HEADER_BYTES, used - 1))
    flip = data.draw(st.integers(1, 255))
    with segment_of(bodies) as path:
        content = bytearray(path.read_bytes())
        content[at] ^= flip
        path.write_bytes(content)

        intact, damaged = read(path)

        assert all(body in bodies for body in intact)
        assert len(intact) < len(bodies)
        assert damaged


@given(BODIES, st.data())
def test_what_was_acknowledged_is_remembered(bodies: list[bytes], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(bodies)))
    with segment_of(bodies) as path:
        segment = Segment.reopen(path)
        segment.acknowledge(HEADER_BYTES + sum(8 + len(body) for body in bodies[:count]))

        again = Segment.reopen(path)

        rest = [body for body, _, _ in again.entries(again.acked, again.written)]
        assert rest == bodies[count:]
        assert again.drained == (count == len(bodies))
