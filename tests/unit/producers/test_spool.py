"""The spool on disk: order, acknowledgement, takeover, damage and limits."""

import errno
import logging
import os
import shutil
from pathlib import Path

import pytest

from modeltrail.producers.errors import SpoolFull
from modeltrail.producers.spooling.fact import Address, SpooledFact, pack_prefix
from modeltrail.producers.spooling.folder import SET_ASIDE
from modeltrail.producers.spooling.segment import ENTRY_OVERHEAD, HEADER_BYTES
from modeltrail.producers.spooling.spool import Spool

ADDRESS = Address("experiments", b"run-1", "modeltrail.experiments.MetricsLogged", 1)
PREFIX = pack_prefix(ADDRESS.topic, ADDRESS.key, ADDRESS.record, ADDRESS.version)
MIB = 1024 * 1024
HERE = "this cluster"


def datums(facts: list[SpooledFact]) -> list[bytes]:
    return [datum for _, datum in facts]


def fill(spool: Spool, *contents: bytes) -> None:
    for content in contents:
        spool.append(PREFIX + content, timeout_s=0)


def abandon(spool: Spool) -> Path:
    """Do what a killed process does: let go of the locks, and nothing else."""
    [folder] = [path for path in spool._root.iterdir() if path.is_dir()]
    spool.forget()
    return folder


def test_facts_come_back_in_order_with_their_address(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB, HERE)
    fill(spool, b"one", b"two", b"three")

    first, _ = spool.read(2)
    rest, _ = spool.read(10)

    assert first == [(ADDRESS, b"one"), (ADDRESS, b"two")]
    assert datums(rest) == [b"three"]
    spool.close()


def test_rewinding_reads_everything_that_was_not_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB, HERE)
    fill(spool, b"one", b"two", b"three")
    _, mark = spool.read(1)
    assert mark is not None
    spool.acknowledge(mark)
    spool.read(10)

    spool.rewind()

    assert datums(spool.read(10)[0]) == [b"two", b"three"]
    spool.close()


def test_what_is_acknowledged_leaves_no_file_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB, HERE)
    fill(spool, *[bytes(100_000)] * 8)
    _, mark = spool.read(100)
    assert mark is not None
    spool.acknowledge(mark)

    assert spool.wait_drained(0)
    spool.close()

    assert list(tmp_path.iterdir()) == []


def test_what_a_process_left_that_died_meanwhile_comes_behind_what_is_here(tmp_path: Path) -> None:
    # Given a spool at work, and another whose process dies
    dead = Spool(tmp_path, MIB, HERE)
    fill(dead, b"dead one", b"dead two")
    heir = Spool(tmp_path, MIB, HERE)
    fill(heir, b"first")
    assert datums(heir.read(10)[0]) == [b"first"]
    dead.forget()

    # When it takes over what there is, twice
    heir.adopt_abandoned()
    heir.adopt_abandoned()
    fill(heir, b"last")

    # Then the order is: what it had, what was left, what came after
    rest, mark = heir.read(10)
    assert datums(rest) == [b"dead one", b"dead two", b"last"]
    everything = ["first", "dead one", "dead two", "last"]
    waiting = heir.unacknowledged(lambda address: address == ADDRESS)
    assert datums(waiting) == [each.encode() for each in everything]
    assert heir.unacknowledged(lambda address: address.key == b"run-2") == []
    assert mark is not None
    heir.acknowledge(mark)
    heir.close()
    assert list(tmp_path.iterdir()) == []


def test_a_dead_process_leaves_its_facts_to_the_next(tmp_path: Path) -> None:
    dead = Spool(tmp_path, MIB, HERE)
    fill(dead, b"one", *[bytes(200_000)] * 3, b"five")
    _, mark = dead.read(1)
    assert mark is not None
    dead.acknowledge(mark)
    abandon(dead)

    heir = Spool(tmp_path, MIB, HERE)

    assert heir.inherited
    inherited, mark = heir.read(10)
    assert datums(inherited) == [bytes(200_000)] * 3 + [b"five"]
    assert mark is not None
    heir.acknowledge(mark)
    heir.close()
    assert list(tmp_path.iterdir()) == []


def test_what_an_heir_does_not_finish_goes_to_its_own_heir(tmp_path: Path) -> None:
    dead = Spool(tmp_path, MIB, HERE)
    fill(dead, b"one")
    abandon(dead)
    Spool(tmp_path, MIB, HERE).close()

    heir = Spool(tmp_path, MIB, HERE)

    assert datums(heir.read(10)[0]) == [b"one"]
    heir.close()


def test_the_spool_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    living = Spool(tmp_path, MIB, HERE)
    fill(living, b"one")

    other = Spool(tmp_path, MIB, HERE)

    assert not other.inherited
    assert other.read(10)[0] == []
    other.close()
    living.close()


def test_a_corrupt_fact_is_set_aside_and_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a dead process with three facts, the second of which is damaged on disk
    dead = Spool(tmp_path, MIB, HERE)
    fill(dead, b"one", b"two", b"three")
    [segment] = abandon(dead).glob("*.segment")
    content = bytearray(segment.read_bytes())
    content[content.index(b"two")] ^= 1
    segment.write_bytes(content)

    # When the next process takes over
    heir = Spool(tmp_path, MIB, HERE)
    with caplog.at_level(logging.ERROR):
        facts, _ = heir.read(10)

    # Then the others are there, and the damaged bytes are kept and reported
    assert datums(facts) == [b"one", b"three"]
    assert heir.set_aside == 1
    [kept] = (tmp_path / "set-aside").iterdir()
    assert kept.read_bytes().endswith(b"uwo")
    assert str(kept) in caplog.text
    heir.close()


def test_a_torn_tail_is_set_aside(tmp_path: Path) -> None:
    dead = Spool(tmp_path, MIB, HERE)
    fill(dead, b"one", b"two")
    [segment] = abandon(dead).glob("*.segment")
    whole_entry = ENTRY_OVERHEAD + len(PREFIX) + 3
    with segment.open("r+b") as file:
        file.truncate(HEADER_BYTES + 2 * whole_entry - 1)

    heir = Spool(tmp_path, MIB, HERE)

    assert datums(heir.read(10)[0]) == [b"one"]
    assert heir.set_aside == 1
    heir.close()


def test_a_file_that_is_no_segment_is_set_aside(tmp_path: Path) -> None:
    dead = Spool(tmp_path, MIB, HERE)
    fill(dead, b"one")
    [segment] = abandon(dead).glob("*.segment")
    segment.write_bytes(b"something else entirely")

    heir = Spool(tmp_path, MIB, HERE)

    assert heir.read(10)[0] == []
    assert heir.set_aside == 1
    heir.close()


def test_a_full_spool_refuses_until_facts_are_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB, HERE)
    fill(spool, *[bytes(200_000)] * 4)
    with pytest.raises(SpoolFull, match="spool_max_mb"):
        fill(spool, bytes(200_000))

    _, mark = spool.read(2)
    assert mark is not None
    spool.acknowledge(mark)

    fill(spool, bytes(200_000))
    spool.close()


def test_a_disk_that_cannot_be_written_is_a_full_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB, HERE)
    [folder] = [path for path in tmp_path.iterdir() if path.is_dir()]
    shutil.rmtree(folder)

    with pytest.raises(SpoolFull, match="free disk space"):
        fill(spool, b"one")


def test_an_intact_entry_that_holds_no_fact_is_set_aside_and_its_neighbours_are_read(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, MIB, HERE)
    fill(spool, b"one")
    spool.append(b"\x01", timeout_s=0)
    fill(spool, b"two")

    facts, _ = spool.read(10)

    assert datums(facts) == [b"one", b"two"]
    assert spool.set_aside == 1
    spool.close()


def test_facts_are_read_again_after_an_error_among_them(tmp_path: Path) -> None:
    # given an entry that is to be set aside where there is no room for it
    spool = Spool(tmp_path, MIB, HERE)
    fill(spool, b"one")
    spool.append(b"\x01", timeout_s=0)
    fill(spool, b"two")
    (tmp_path / SET_ASIDE).write_text("in the way")
    with pytest.raises(FileExistsError):
        spool.read(10)

    # when there is room again
    (tmp_path / SET_ASIDE).unlink()

    # then nothing was skipped
    assert datums(spool.read(10)[0]) == [b"one", b"two"]
    spool.close()


def test_what_a_full_disk_cuts_off_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a disk that takes one byte more
    def write_bytes(path: Path, body: bytes) -> int:
        with path.open("wb") as file:
            file.write(body[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool = Spool(tmp_path, MIB, HERE)
    monkeypatch.setattr(Path, "write_bytes", write_bytes)

    # when something is set aside
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        spool.put_aside(b"whole", "corrupt")

    # then it leaves no part of it
    assert list((tmp_path / SET_ASIDE).iterdir()) == []
    assert spool.set_aside == 0
    spool.close()
