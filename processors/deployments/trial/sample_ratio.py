"""Answers whether the arms got the sessions that they should, by a test valid at every look.

The method is the sequential multinomial test of Lindon and Malek: "Anytime-valid inference for
multinomial count data", NeurIPS 2022, for two arms: the Bayes factor of a beta mixture over shares
against the share that was set. It is a martingale if sessions fall into the arms by that share, so
it ever reaches 1 / alpha with a probability of at most alpha (Ville). Where it does, assignment is
broken or sessions of an arm are lost, and no comparison of the arms means anything.
"""

import math
from dataclasses import dataclass

#: How many sessions the mixture is worth: shares within about 1 / sqrt(it) are plausible.
_CONCENTRATION = 100.0


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Sessions of each arm, and how much they speak against the share that was set."""

    champion: int
    candidate: int
    share: float
    log_evidence: float

    def mismatch(self, alpha: float) -> bool:
        """Whether they speak against it as they would with probability `alpha` at most."""
        return self.log_evidence >= -math.log(alpha)

    def judged(self, alpha: float) -> dict[str, object]:
        """The numbers as JSON values."""
        return {
            "champion": self.champion,
            "candidate": self.candidate,
            "share": self.share,
            "alpha": alpha,
            "log_evidence": self.log_evidence,
            "mismatch": self.mismatch(alpha),
        }


def sample_ratio(champion: int, candidate: int, share: float) -> SampleRatio:
    """Compare the sessions of the arms with the share of the candidate.

    Args:
        champion: sessions of the champion that began.
        candidate: sessions of the candidate that began.
        share: of the candidate, above 0 and below 1.
    """
    a, b = _CONCENTRATION * share, _CONCENTRATION * (1 - share)
    mixture = _log_beta(a + candidate, b + champion) - _log_beta(a, b)
    as_set = candidate * math.log(share) + champion * math.log1p(-share)
    return SampleRatio(champion, candidate, share, mixture - as_set)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
