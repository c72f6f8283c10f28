"""Setting rules and reading which are set, on a log in memory."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.rules import BadRules, RulesClient
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import (
    Direction,
    DriftPolicySet,
    Fact,
    Severity,
    Statistic,
    ThresholdRule,
    ThresholdsSet,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId
from modeltrail.schemas.rulebook import DEFAULT_POLICY
from modeltrail.schemas.rules_file import parse_rules
from modeltrail.schemas.topics import RULES, Topic, key_of

Facts = Callable[[Topic], list[Fact]]
RULE = ThresholdRule(
    name="HIGH_LATENCY",
    metric="latency_ms",
    statistic=Statistic.P95,
    window="10s",
    direction=Direction.ABOVE,
    threshold=50.0,
    severity=Severity.WARNING,
)


@pytest.fixture
def client(settings: Settings, log: MemoryLog, ids: MemorySchemaIds) -> RulesClient:
    return RulesClient(settings, log=log, schema_ids=ids)


def test_rules_are_in_the_log_when_the_call_returns(
    client: RulesClient, log: MemoryLog, facts_in: Facts
) -> None:
    fact = client.set_thresholds("centerface", [RULE], set_by="ops")

    assert facts_in(RULES) == [fact]
    assert (fact.model_id, fact.rules, fact.set_by) == ("centerface", (RULE,), "ops")
    assert fact.event_id != bytes(16)
    assert fact.occurred_at > 0
    assert [record.key for record in log.records(RULES)] == [key_of("centerface")]


def test_a_bad_rule_is_refused_before_anything_is_appended(
    client: RulesClient, facts_in: Facts
) -> None:
    bad = replace(RULE, name="BAD", window="10m")

    with pytest.raises(BadRules, match=r"'centerface' were not set: BAD: window '10m'") as caught:
        client.set_thresholds("centerface", [RULE, bad])

    assert [rule for rule, _ in caught.value.problems] == ["BAD"]
    assert facts_in(RULES) == []


def test_one_bad_draft_keeps_all_of_them_back(client: RulesClient, facts_in: Facts) -> None:
    drafts = (*parse_rules("m: {latency_threshold: 50}"), replace(DEFAULT_POLICY, window="2m"))

    with pytest.raises(BadRules):
        client.set_all(drafts)

    assert facts_in(RULES) == []


def test_who_sets_rules_must_have_a_name_that_can_be_kept(client: RulesClient) -> None:
    with pytest.raises(InvalidFact, match="set_by"):
        client.set_thresholds("m", [RULE], set_by="a\nb")


def test_a_drift_policy_is_set_for_its_model(client: RulesClient, facts_in: Facts) -> None:
    fact = client.set_drift_policy("m", replace(DEFAULT_POLICY, persistence=5), set_by="ops")

    assert facts_in(RULES) == [fact]
    assert isinstance(fact, DriftPolicySet)
    assert (fact.model_id, fact.persistence, fact.set_by) == ("m", 5, "ops")


def test_a_bad_policy_is_refused(client: RulesClient, facts_in: Facts) -> None:
    with pytest.raises(BadRules, match="psi_threshold"):
        client.set_drift_policy("m", replace(DEFAULT_POLICY, psi_threshold=-1.0))

    assert facts_in(RULES) == []


def test_what_is_set_is_read_back_defaults_first(client: RulesClient) -> None:
    client.set_thresholds("m", [RULE])
    client.set_thresholds("m", [replace(RULE, threshold=60.0)])
    client.set_drift_policy("m")
    client.set_thresholds("*", [RULE])

    view = client.view()

    found = view.in_force()
    assert [(type(fact), fact.model_id) for fact in found] == [
        (ThresholdsSet, "*"),
        (ThresholdsSet, "m"),
        (DriftPolicySet, "m"),
    ]
    assert isinstance(found[1], ThresholdsSet)
    assert found[1].rules[0].threshold == 60.0
    assert view.in_force("m") == found[1:]
    assert view.in_force("other") == ()


def test_rules_that_somebody_appended_unchecked_are_not_shown(
    client: RulesClient, log: MemoryLog, ids: MemorySchemaIds
) -> None:
    client.set_thresholds("m", [RULE])
    bad = ThresholdsSet(EventId(bytes(16)), Micros(0), ModelId("m"), (replace(RULE, window="7s"),))
    log.append(RULES, key_of("m"), Codec(ids).encode(bad))
    log.append(RULES, key_of("m"), b"nothing of ours")

    (fact,) = client.view().in_force()

    assert isinstance(fact, ThresholdsSet)
    assert fact.rules == (RULE,)


def test_without_kafka_the_call_says_so(client: RulesClient, log: MemoryLog) -> None:
    log.away = True

    with pytest.raises(Unavailable):
        client.view()
