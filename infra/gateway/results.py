"""Answers to a query: header, blocks, progress and the packets that end it."""

from __future__ import annotations

import time
from dataclasses import replace

from modeltrail.infra.gateway import compression
from modeltrail.infra.gateway.protocol import revisions, server_packets
from modeltrail.infra.gateway.protocol.blocks import ColumnHead, header, server_blocks
from modeltrail.infra.gateway.protocol.server_packets import DATA_HEAD, END_OF_STREAM, Progress
from modeltrail.infra.gateway.protocol.source import Buffer
from modeltrail.infra.gateway.wire import Wire


class ResultWriter:
    """Writes the answer to one query, in the form that its client asked for."""

    def __init__(self, wire: Wire, *, compressed: bool) -> None:
        self._wire = wire
        self._compressed = compressed
        self._rows = self._blocks = self._bytes = 0
        self._told = Progress()
        self._is_insert = False
        self._started = time.perf_counter_ns()
        self.has_header = False

    def on_progress(self, progress: Progress) -> None:
        """Tell the client how far the engine is."""
        step = progress.since(self._told)
        self._told = progress
        if step != Progress():
            self._wire.send(server_packets.progress(step, self._wire.revision))

    def send_header(self, columns: tuple[ColumnHead, ...]) -> None:
        """Tell the client names and types before the first rows."""
        self.has_header = True
        self._send_block([header(columns, self._wire.revision)])

    def send(self, native: bytes) -> None:
        """Send blocks as they come from the engine."""
        for head, pieces in server_blocks(native, self._wire.revision):
            if not self.has_header:
                self.send_header(head.columns)
            if head.rows:
                self._rows += head.rows
                self._blocks += 1
                self._send_block(pieces)
        self._bytes += len(native)

    def finish(self) -> None:
        """Send what ends a query that went well."""
        if self.has_header and not self._is_insert:
            spent = time.perf_counter_ns() - self._started
            self.on_progress(replace(self._told, elapsed_ns=max(spent, self._told.elapsed_ns)))
            self._wire.send(server_packets.profile_info(self._rows, self._blocks, self._bytes))
            self._send_block([header((), self._wire.revision)])
        self._wire.send(END_OF_STREAM)

    def written(self, rows: int, size: int) -> None:
        """Tell the client what an insert has written; `size` in bytes."""
        self._is_insert = True
        done = Progress(written_rows=rows, written_bytes=size)
        if self._wire.revision >= revisions.CLIENT_WRITE_INFO:
            self._wire.send(server_packets.progress(done, self._wire.revision))

    def acknowledge_block(self) -> None:
        """Answer a block of an insert, where the client's revision waits for that."""
        if self._wire.revision >= revisions.PROFILE_EVENTS_IN_INSERT:
            self._wire.send(server_packets.profile_events(self._wire.revision))

    def _send_block(self, pieces: list[Buffer]) -> None:
        body = compression.frames(pieces) if self._compressed else pieces
        self._wire.send(DATA_HEAD + b"".join(body))
