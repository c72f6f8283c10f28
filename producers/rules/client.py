"""Sets rules: checks them, appends them, and waits until Kafka has them."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.client import LogClient
from modeltrail.producers.eventlog.reading import read_to_end
from modeltrail.producers.rules.errors import BadRules
from modeltrail.producers.rules.view import RulesView
from modeltrail.schemas.errors import DecodeError
from modeltrail.schemas.events import DriftPolicySet, ThresholdRule, ThresholdsSet
from modeltrail.schemas.ids import EVENT_ID_BYTES, EventId, Micros, ModelId, check_id, new_event_id
from modeltrail.schemas.rulebook import DEFAULT_POLICY, problems_of
from modeltrail.schemas.topics import RULES, key_of

_log = logging.getLogger(__name__)


class RulesClient(LogClient):
    """Where rules are set and read; one thread uses it. Every answer comes from the log itself."""

    def set_thresholds(
        self, model_id: str, rules: Sequence[ThresholdRule], set_by: str = ""
    ) -> ThresholdsSet:
        """Replace all threshold rules of a model, or with `*` the defaults of all models.

        They apply to windows that end after they were appended, and to single values appended
        more than 2 s after that. No rules: only the defaults hold.

        Raises:
            BadRules: one of the rules has a problem; nothing was appended.
            InvalidFact: `set_by` may not become part of a fact.
            Unavailable: Kafka did not acknowledge.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        draft = ThresholdsSet(
            EventId(bytes(EVENT_ID_BYTES)), Micros(0), ModelId(model_id), tuple(rules)
        )
        (fact,) = self.set_all([draft], set_by)
        assert isinstance(fact, ThresholdsSet)
        return fact

    def set_drift_policy(
        self, model_id: str, policy: DriftPolicySet = DEFAULT_POLICY, set_by: str = ""
    ) -> DriftPolicySet:
        """Set how drift of a model is judged, or with `*` of all models without a policy.

        Args:
            model_id: whose drift.
            policy: its settings; `replace(DEFAULT_POLICY, …)` changes some of the default ones.
                Identity, time and model are not looked at.
            set_by: who sets it.

        Raises:
            BadRules: the policy has a problem; nothing was appended.
            InvalidFact: `set_by` may not become part of a fact.
            Unavailable: Kafka did not acknowledge.
            SchemaRegistryUnavailable: the schema registry does not answer.
        """
        (fact,) = self.set_all([replace(policy, model_id=ModelId(model_id))], set_by)
        assert isinstance(fact, DriftPolicySet)
        return fact

    def set_all(
        self, drafts: Sequence[ThresholdsSet | DriftPolicySet], set_by: str = ""
    ) -> tuple[ThresholdsSet | DriftPolicySet, ...]:
        """Check every draft, then append all of them: what `parse_rules` gives; errors as above."""
        for draft in drafts:
            if problems := problems_of(draft):
                raise BadRules(draft.model_id, problems)
        who = check_id("set_by", set_by) if set_by else ""
        now = Micros(self._clock.now_us())
        facts = tuple(
            replace(draft, event_id=new_event_id(), occurred_at=now, set_by=who) for draft in drafts
        )
        appender = Appender(self._log, self._codec)
        for fact in facts:
            appender.put(RULES, key_of(fact.model_id), fact)
        appender.finish()
        return facts

    def view(self) -> RulesView:
        """What is set as of now.

        Raises:
            Unavailable: Kafka does not answer.
            SchemaRegistryUnavailable: a writer schema is not known yet.
        """
        view = RulesView()
        partitions = tuple(range(self._log.partitions(RULES)))
        ends = self._log.end_offsets(RULES, partitions)
        for record in read_to_end(self._log, RULES, dict.fromkeys(partitions, 0), ends):
            try:
                view.absorb(self._codec.decode(record.value or b""))
            except DecodeError as error:
                # The projector puts it into the dead letters; here it must not hide the others.
                _log.warning(
                    "skipped partition %d offset %d of the rules topic: %s",
                    *(record.partition, record.offset, error),
                )
        return view
