"""Keeps facts on disk until Kafka has acknowledged them: bounded, shared by processes, kill-proof.

Guarantee. A fact is in the spool when `append` returns, before it is sent. Killing the process
loses nothing (the bytes are in the page cache): the next spool on the same folder takes over what
was not acknowledged. A power cut or kernel crash may lose what the operating system had not written
yet, normally the last 30 s; `sync` writes it. A fact may be sent twice, with the same event_id.
"""

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modeltrail.producers.errors import SpoolFull
from modeltrail.producers.spooling.fact import Address, SpooledFact, unpack
from modeltrail.producers.spooling.folder import (
    SEGMENT_SUFFIX,
    SET_ASIDE,
    SpoolFolder,
    claim_abandoned,
    claim_new,
)
from modeltrail.producers.spooling.segment import ENTRY_OVERHEAD, HEADER_BYTES, Segment

_LOG = logging.getLogger(__name__)
_LARGEST_SEGMENT = 4 * 1024 * 1024
_SEGMENTS = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the spool: everything before it was read."""

    segment: Segment
    offset: int


class Spool:
    """An append-only queue of facts on disk; any thread appends, one thread reads."""

    def __init__(self, root: Path, max_bytes: int, destination: str) -> None:
        """Open a folder of our own below `root`, and take over those of dead processes.

        Args:
            root: the folder that processes share.
            max_bytes: how much may wait for Kafka.
            destination: where facts go; what dead processes left for elsewhere stays.

        Raises:
            OSError: the folder cannot be written.
        """
        self.set_aside = 0
        self._root = root
        self._max_bytes = max_bytes
        self._segment_bytes = min(_LARGEST_SEGMENT, max_bytes // _SEGMENTS)
        self._destination = destination
        self._folders = [claim_new(root, destination)]
        self._lock = threading.Lock()
        self._acknowledged = threading.Condition(self._lock)
        self._segments: deque[Segment] = deque()
        self._opened = 0
        self._read: Mark | None = None
        try:
            self.adopt_abandoned()
        except BaseException:
            self.close()
            raise
        self.inherited = bool(self._segments)

    def adopt_abandoned(self) -> None:
        """Take over the folders of processes that died, also after this spool was opened.

        What they left comes behind what is here, and before what is appended from now on. A folder
        that cannot be read is left to the next spool.
        """
        with self._lock:
            for folder in claim_abandoned(self._root, self._destination):
                self._adopt(folder)

    def append(self, body: bytes, timeout_s: float) -> None:
        """Keep one packed fact; wait up to `timeout_s` while the spool is full.

        Raises:
            SpoolFull: still no room.
        """
        with self._lock:
            if self._segments and self._segments[-1].append(body):
                return
            self._append_to_new(body, timeout_s)

    def read(self, limit: int) -> tuple[list[SpooledFact], Mark | None]:
        """The next facts in order, and the mark behind them; corrupt ones are set aside."""
        facts: list[SpooledFact] = []
        read = self._read
        with self._lock:
            segments = list(self._segments)
        for segment, start in _from(read, segments):
            at = start
            for body, end, intact in segment.entries(start, segment.written):
                at = end
                fact = unpack(body) if intact else None
                if fact is None:
                    self.put_aside(body, "corrupt")
                else:
                    facts.append(fact)
                if len(facts) == limit:
                    break
            if at != start:
                read = Mark(segment, at)
            if len(facts) == limit:
                break
        # Only now: after an error the same facts are read again.
        self._read = read
        return facts, read

    def unacknowledged(self, wanted: Callable[[Address], bool]) -> list[SpooledFact]:
        """The facts of `wanted` addresses that Kafka has not acknowledged, in order."""
        with self._lock:
            spooled = (
                unpack(body)
                for segment in self._segments
                for body, _end, intact in segment.entries(segment.acked, segment.written)
                if intact
            )
            return [fact for fact in spooled if fact is not None and wanted(fact[0])]

    def rewind(self) -> None:
        """Read again from the first fact that was not acknowledged."""
        self._read = None

    def acknowledge(self, mark: Mark) -> None:
        """Kafka has every fact before `mark`."""
        with self._lock:
            mark.segment.acknowledge(mark.offset)
            self._drop_before(mark.segment)
            self._acknowledged.notify_all()

    def wait_drained(self, timeout_s: float) -> bool:
        """Wait until Kafka has acknowledged every fact that is here now; whether it has."""
        with self._lock:
            ends = [(segment, segment.written) for segment in self._segments]
            return self._acknowledged.wait_for(lambda: self._has_passed(ends), timeout_s)

    def put_aside(self, body: bytes, why: str) -> None:
        """Keep bytes that can never be sent in `set-aside/`, and say so."""
        folder = self._root / SET_ASIDE
        folder.mkdir(exist_ok=True)
        path = folder / f"{why}-{secrets.token_hex(8)}"
        try:
            path.write_bytes(body)
        except OSError:
            # It comes again: without this, each time would leave another torn file.
            path.unlink(missing_ok=True)
            raise
        self.set_aside += 1
        _LOG.error("a spooled fact is %s: its %d bytes are kept in %s", why, len(body), path)

    def sync(self) -> None:
        """Write everything to the disk, against a power cut."""
        with self._lock:
            for segment in self._segments:
                segment.sync()

    def close(self) -> None:
        """Let the folders go; what Kafka has not acknowledged stays for the next spool."""
        with self._lock:
            while self._segments and self._segments[0].drained:
                self._segments.popleft().remove()
            while self._folders:
                self._folders.pop().release()

    def forget(self) -> None:
        """In a forked child: leave the parent's folders to the parent."""
        while self._folders:
            self._folders.pop().forget()

    def _append_to_new(self, body: bytes, timeout_s: float) -> None:
        size = max(self._segment_bytes, HEADER_BYTES + ENTRY_OVERHEAD + len(body))
        if not self._acknowledged.wait_for(lambda: self._has_room(size), timeout_s):
            raise SpoolFull(
                f"{self._max_bytes >> 20} MiB of facts in {self._root} wait for Kafka: check "
                "`modeltrail status`, call again, or raise experiment_tracking.spool_max_mb"
            )
        # Another thread may have opened the next segment while this one waited.
        if self._segments and self._segments[-1].append(body):
            return
        self._segments.append(self._open_segment(size))
        self._segments[-1].append(body)

    def _open_segment(self, size: int) -> Segment:
        self._opened += 1
        path = self._folders[0].path / f"{self._opened:010d}{SEGMENT_SUFFIX}"
        try:
            return Segment.create(path, size)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise SpoolFull(f"cannot spool to {path}: {error}; free disk space") from error

    def _has_room(self, size: int) -> bool:
        held = sum(segment.size for segment in self._segments if not segment.drained)
        return held + size <= self._max_bytes

    def _has_passed(self, ends: list[tuple[Segment, int]]) -> bool:
        # A segment that is gone was acknowledged whole.
        return all(segment.acked >= end or segment not in self._segments for segment, end in ends)

    def _drop_before(self, kept: Segment) -> None:
        while self._segments[0] is not kept:
            self._segments.popleft().remove()

    def _adopt(self, folder: SpoolFolder) -> None:
        try:
            segments = self._reopen(folder)
        except BaseException as error:
            # As long as we hold its lock, nobody else would send what lies there.
            folder.forget()
            if not isinstance(error, OSError):
                raise
            _LOG.warning(
                "the facts in %s cannot be taken over now (%s): the next ModelRegistry or "
                "ExperimentTracker with this spool tries again",
                folder.path,
                error,
            )
            return
        self._folders.append(folder)
        self._segments += segments

    def _reopen(self, folder: SpoolFolder) -> list[Segment]:
        segments = []
        for path in folder.segment_paths():
            try:
                segment = Segment.reopen(path)
            except ValueError:
                self.put_aside(path.read_bytes(), "corrupt")
                path.unlink()
                continue
            if segment.drained:
                segment.remove()
            else:
                segments.append(segment)
        return segments


def _from(mark: Mark | None, segments: list[Segment]) -> list[tuple[Segment, int]]:
    if mark is None or mark.segment not in segments:
        return [(segment, segment.acked) for segment in segments]
    at = segments.index(mark.segment)
    rest = [(segment, segment.acked) for segment in segments[at + 1 :]]
    return [(mark.segment, mark.offset), *rest]
