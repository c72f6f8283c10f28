"""Makes the ids of facts that are logged in tight loops: random ones, many per system call."""

import os

from modeltrail.producers.per_process import PerProcess
from modeltrail.schemas.ids import EVENT_ID_BYTES, EventId

_AT_ONCE = 256


class EventIds:
    """Random ids, as `new_event_id` makes them at a fifth of its cost; threads may share it.

    Ids that are in stock are no child's: two processes never give the same one.
    """

    def __init__(self) -> None:
        self._stock: PerProcess[list[EventId]] = PerProcess(list)

    def take(self) -> EventId:
        """One that nobody has."""
        stock = self._stock.made or self._stock.get()
        try:
            # One step of the interpreter: no other thread gets the same.
            return stock.pop()
        except IndexError:
            drawn = os.urandom(EVENT_ID_BYTES * _AT_ONCE)
            ids = [
                EventId(drawn[at : at + EVENT_ID_BYTES])
                for at in range(0, len(drawn), EVENT_ID_BYTES)
            ]
            taken = ids.pop()
            stock += ids
            return taken
