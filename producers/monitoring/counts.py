"""Answers what became of measurements between the frame loop and Kafka."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of measurements so far.

    `dropped` left the full queue, `refused` did not fit the schema, `undeliverable` were given up
    by the Kafka client, `unsettled` are queued or without an answer yet.
    """

    sent: int
    dropped: int
    refused: int
    undeliverable: int
    unsettled: int

    @property
    def lost(self) -> int:
        """All that Kafka will never have."""
        return self.dropped + self.refused + self.undeliverable

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.sent + other.sent,
            self.dropped + other.dropped,
            self.refused + other.refused,
            self.undeliverable + other.undeliverable,
            self.unsettled + other.unsettled,
        )


NOTHING_YET = Counts(0, 0, 0, 0, 0)
