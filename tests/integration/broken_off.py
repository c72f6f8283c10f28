"""Breaks producers off, as a broker does that has lost count of what it got from them."""

import ctypes
from types import ModuleType
from typing import Any

import pytest
from confluent_kafka import Producer, cimpl

_OUT_OF_ORDER = 45


class Producers:
    """The producers that a module makes from now on; the newest may be broken off."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        make = module.make_producer
        self.made: list[Producer] = []

        def make_and_note(*args: Any, **overrides: Any) -> Producer:
            self.made.append(make(*args, **overrides))
            return self.made[-1]

        monkeypatch.setattr(module, "make_producer", make_and_note)

    def break_off(self) -> None:
        """Give the newest a fatal error: it sends nothing any more."""
        # The handle follows the two words that begin every object.
        behind_head = id(self.made[-1]) + 2 * ctypes.sizeof(ctypes.c_void_p)
        handle = ctypes.c_void_p.from_address(behind_head)
        # librdkafka has this function for tests of applications.
        break_off = ctypes.CDLL(cimpl.__file__).rd_kafka_test_fatal_error
        assert break_off(handle, _OUT_OF_ORDER, b"out of order") == 0
