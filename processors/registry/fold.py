"""Decides what is asked of the registry: a fold over one model's facts, in partition order.

The answers in the log are the truth: a request that has one is not answered again, whatever the
rules say today. A request without one is answered from what is known so far, under ids that depend
only on what the answer is about, so that deciding twice gives the same facts.
"""

from modeltrail.processors.registry.aliasing import decide_alias
from modeltrail.processors.registry.registering import decide_registration
from modeltrail.processors.registry.retiring import decide_archive, decide_erase
from modeltrail.processors.registry.state import ModelState, absorb
from modeltrail.processors.registry.tagging import decide_tag
from modeltrail.schemas.events import (
    AliasRequested,
    ArchiveRequested,
    EraseRequested,
    Fact,
    ModelRegistrationRequested,
    TagRequested,
)
from modeltrail.schemas.registry_dialogue import RegistryAnswer, RegistryRequest

__all__ = ["ModelState", "fold"]


def fold(state: ModelState, fact: Fact) -> tuple[ModelState, tuple[Fact, ...]]:
    """Absorb `fact`; give the new state and the facts that it calls for."""
    if isinstance(fact, RegistryAnswer):
        return absorb(state, fact), ()
    if isinstance(fact, RegistryRequest) and fact.event_id not in state.answered:
        answer = _decide(state, fact)
        return absorb(state, answer), (answer,)
    return state, ()


def _decide(state: ModelState, request: RegistryRequest) -> RegistryAnswer:
    match request:
        case ModelRegistrationRequested():
            return decide_registration(state, request)
        case AliasRequested():
            return decide_alias(state, request)
        case TagRequested():
            return decide_tag(state, request)
        case ArchiveRequested():
            return decide_archive(state, request)
        case EraseRequested():
            return decide_erase(state, request)
