"""Teaches Hypothesis to make any fact from its type hints, so that `from_type(Fact)` gives all."""

from dataclasses import fields, replace
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, NewType, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from modeltrail.schemas.columns import Doubles, Longs, doubles, longs
from modeltrail.schemas.events import Fact
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.facts import FACTS
from modeltrail.schemas.ids import EventId, Sha256

_TEXTS = st.text(max_size=20) | st.text("a", min_size=60, max_size=70)
_DOUBLES = st.floats(allow_nan=False)
_LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70)
_INTS_OF_32_BITS = {"partition": st.integers(-(2**31), 2**31 - 1)}


@st.composite
def facts_of(draw: st.DrawFn, kind: Any) -> Any:
    """The example of a fact, with another event_id and up to five other fields drawn anew."""
    names = draw(st.lists(st.sampled_from([field.name for field in fields(kind)]), max_size=5))
    drawn = {name: draw(_field_values(kind)[name]) for name in ["event_id", *names]}
    return replace(example_fact(kind), **drawn)


@cache
def _field_values(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    hints = get_type_hints(kind)
    return {
        field.name: _INTS_OF_32_BITS.get(field.name, _values_of(hints[field.name]))
        for field in fields(kind)
    }


def _values_of(hint: Any) -> st.SearchStrategy[Any]:
    plain: dict[Any, st.SearchStrategy[Any]] = {
        EventId: st.binary(min_size=16, max_size=16),
        Sha256: st.binary(min_size=32, max_size=32),
        str: _TEXTS,
        bool: st.booleans(),
        float: _DOUBLES,
        int: _LONGS,
        bytes: st.binary(max_size=40),
        Longs: st.lists(_LONGS, max_size=4).map(longs),
        Doubles: st.lists(_DOUBLES, max_size=4).map(doubles),
        NoneType: st.none(),
    }
    if hint in plain:
        return plain[hint]
    if isinstance(hint, NewType):
        return _values_of(hint.__supertype__)
    if get_origin(hint) is tuple:
        return st.lists(_values_of(get_args(hint)[0]), max_size=4).map(tuple)
    if get_args(hint):
        return st.one_of(*map(_values_of, get_args(hint)))
    if issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    return st.builds(hint, **_field_values(hint))


for kind in FACTS:
    st.register_type_strategy(kind, facts_of(kind))
st.register_type_strategy(Fact, st.sampled_from(FACTS).flatmap(st.from_type))
