"""Answers which automatic requests need no document of their own, as a newer one tells of more.

A document tells of the log up to the moment of its request, so the newest of several requests for
the same document tells all that the others would. Requests are ordered by their places in the log:
whoever looks, and whenever, finds the same one newer, and the newest is superseded by none.
"""

from dataclasses import dataclass

from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import DocumentKind
from modeltrail.schemas.ids import EventId, Version

About = tuple[DocumentKind, str, Version | None]
"""Which document: a card of a model and version, or a report of an experiment."""

#: What the reason of such a refusal begins with; the view `documents` tells them apart by it.
SUPERSEDED = "superseded by "


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a request lies; the greater one tells of a later moment."""

    appended_ms: int
    partition: int
    offset: int


def superseded_by(newer: Place) -> str:
    """Why a request was not answered with a document, and which request was or will be."""
    return (
        f"{SUPERSEDED}the automatic request in partition {newer.partition} at offset "
        f"{newer.offset}: its document tells of this moment too"
    )


@dataclass(slots=True)
class _Newest:
    place: Place
    event_id: EventId


class AutomaticRequests:
    """The automatic requests that were met; one takes about 150 bytes."""

    def __init__(self) -> None:
        self._following: dict[int, int] = {}
        self._documents: dict[About, _Newest] = {}
        self._document_of: dict[EventId, _Newest] = {}

    def following(self, partition: int) -> int:
        """The offset from which on the partition is unknown."""
        return self._following.get(partition, 0)

    def passed(self, partition: int, end: int) -> None:
        """Everything before `end` was met."""
        self._following[partition] = end

    def met(self, request: Appended, about: About) -> None:
        """A request lies there; one that was sent again is where it was first."""
        event_id = request.fact.event_id
        if event_id in self._document_of:
            return
        place = Place(request.appended_ms, request.partition, request.offset)
        newest = self._documents.setdefault(about, _Newest(place, event_id))
        self._document_of[event_id] = newest
        if place > newest.place:
            newest.place, newest.event_id = place, event_id

    def newer_than(self, event_id: EventId) -> Place | None:
        """Where the newest request for its document lies; None: it is that one, or unknown."""
        newest = self._document_of.get(event_id)
        return None if newest is None or newest.event_id == event_id else newest.place
