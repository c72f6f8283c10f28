"""What a gate says about a step: its verdict, one sentence, and the numbers that it rests on."""

from dataclasses import dataclass

from modeltrail.schemas.events import StepVerdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """The end of a step.

    Attributes:
        verdict: PASSED and SKIPPED let the deployment go on; the others end it.
        reason: one sentence for people, with the numbers that decided.
        judged: what the gate computed from the evidence, as JSON values; finite numbers only.
    """

    verdict: StepVerdict
    reason: str
    judged: dict[str, object]
