"""Of automatic requests for the same document the newest counts, whoever finds them, and when."""

from dataclasses import replace
from itertools import permutations

import pytest

from modeltrail.processors.documents.automation import is_automatic, request_for
from modeltrail.processors.documents.superseding import AutomaticRequests, Place
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.events import (
    DocumentKind,
    DocumentRequested,
    EthicsAssessed,
    ModelRegistered,
    RunEnded,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import Micros, Version, derived_event_id

REPORT = (DocumentKind.EXPERIMENT_REPORT, "threshold", None)
OTHER = (DocumentKind.EXPERIMENT_REPORT, "other", None)


def request(name: str, partition: int, offset: int, appended_ms: int) -> Appended:
    fact = replace(
        example_fact(DocumentRequested), event_id=derived_event_id("request", name), subject=name
    )
    return Appended(partition, offset, appended_ms, fact)


A, B, C = request("a", 1, 5, 1000), request("b", 0, 9, 1000), request("c", 0, 10, 3000)
D = request("d", 2, 0, 2000)


def met(*requests: Appended) -> AutomaticRequests:
    found = AutomaticRequests()
    for each in requests:
        found.met(each, REPORT)
    return found


def newer(found: AutomaticRequests, than: Appended) -> Place | None:
    return found.newer_than(than.fact.event_id)


@pytest.mark.parametrize("order", list(permutations([A, B, C, D])))
def test_whoever_meets_requests_in_whatever_order_finds_the_same_one_newest(
    order: tuple[Appended, ...],
) -> None:
    found = met(*order)
    assert [newer(found, each) for each in (A, B, D)] == [Place(3000, 0, 10)] * 3
    assert newer(found, C) is None


def test_what_comes_later_supersedes_what_was_newest_and_never_frees_what_was_not() -> None:
    found = met(A, D)
    assert newer(found, A) == Place(2000, 2, 0)
    assert newer(found, D) is None
    found.met(C, REPORT)
    assert newer(found, A) == newer(found, D) == Place(3000, 0, 10)


def test_of_one_moment_one_request_is_the_newest() -> None:
    found = met(A, B)
    assert newer(found, B) == Place(1000, 1, 5)
    assert newer(found, A) is None


def test_requests_that_were_sent_again_leave_one_to_be_answered() -> None:
    # Given the automation died before it took note, and sent both again
    again = [request("d", 2, 1, 5000), request("c", 0, 11, 5000), request("a", 1, 6, 6000)]
    found = met(A, D, C, *again)
    # Then each counts where it was first: none is superseded by itself, or by an earlier one
    assert [newer(found, each) for each in again] == [Place(3000, 0, 10), None, Place(3000, 0, 10)]


def test_requests_for_other_documents_are_no_matter() -> None:
    found = met(A)
    found.met(C, OTHER)
    assert newer(found, A) is None
    assert newer(found, C) is None
    assert newer(found, D) is None


def test_a_request_that_a_person_made_is_not_automatic() -> None:
    for kind in (RunEnded, ModelRegistered, EthicsAssessed):
        asked = request_for(example_fact(kind))
        assert asked is not None
        assert is_automatic(asked)
        assert not is_automatic(replace(asked, requested_by="automatic"))
        assert not is_automatic(replace(asked, requested_by="ada"))
        assert not is_automatic(replace(asked, requested_by=""))
        assert not is_automatic(replace(asked, as_of=Micros(1)))


def test_versions_of_a_model_have_cards_of_their_own() -> None:
    card = (DocumentKind.MODEL_CARD, "centerface", Version("v1.0.0"))
    found = AutomaticRequests()
    found.met(A, card)
    found.met(C, (*card[:2], Version("v2.0.0")))
    assert newer(found, A) is None
