"""Rules that were appended unchecked are answered: rejected, or in force without a word."""

from dataclasses import replace

from modeltrail.processors.alerting.rules_agent import rejection_of
from modeltrail.schemas.codec import encode_datum
from modeltrail.schemas.events import DriftPolicySet, ThresholdsSet
from modeltrail.schemas.ids import ModelId
from tests.unit.processors.alert_log import RULE, decided, set_policy, set_rules


def test_good_rules_are_in_force_without_a_word() -> None:
    assert rejection_of(set_rules(RULE).fact) is None
    assert rejection_of(set_policy().fact) is None
    assert rejection_of(decided(10)) is None


def test_a_set_is_rejected_with_every_problem() -> None:
    bad = set_rules(RULE, replace(RULE, name="A", window="7s"), replace(RULE, name="B", for_s=-1.0))
    assert isinstance(bad.fact, ThresholdsSet)

    rejection = rejection_of(bad.fact)

    assert rejection is not None
    assert (rejection.model_id, rejection.rejected_id) == (bad.fact.model_id, bad.fact.event_id)
    assert rejection.rule == "A"
    assert rejection.detail.startswith("A: window '7s' is not known: ")
    assert "; B: for_s is -1.0: give seconds" in rejection.detail


def test_a_policy_is_rejected_for_the_field_that_is_wrong() -> None:
    bad = set_policy(persistence=0).fact
    assert isinstance(bad, DriftPolicySet)

    rejection = rejection_of(bad)

    assert rejection is not None
    assert rejection.rule == "persistence"


def test_the_answer_is_the_same_however_often_it_is_given() -> None:
    bad = set_rules(replace(RULE, window="7s")).fact

    assert rejection_of(bad) == rejection_of(bad)


def test_an_endless_name_can_still_be_answered() -> None:
    bad = set_rules(RULE).fact
    assert isinstance(bad, ThresholdsSet)

    rejection = rejection_of(replace(bad, model_id=ModelId("m" * 100_000)))

    assert rejection is not None
    assert len(encode_datum(rejection)) < 10_000
