"""Answers what became of a node's measurements, for whoever asks the monitor."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MonitorStats:
    """What became of a monitor's measurements in this process.

    `sent` are acknowledged by Kafka; `dropped` left the full queue, or came after `close`;
    `refused` did not fit the schema; `undeliverable` were given up by the Kafka client; `queued`
    wait, or wait for their answer; `sampled_out` were never meant to be sent.
    """

    sent: int = 0
    dropped: int = 0
    refused: int = 0
    undeliverable: int = 0
    queued: int = 0
    sampled_out: int = 0
    clock_jumps: int = 0
