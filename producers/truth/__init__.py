"""Ground truth that is known later, from files."""

from modeltrail.producers.truth.errors import TruthFileInvalid
from modeltrail.producers.truth.load import load_truth

__all__ = ["TruthFileInvalid", "load_truth"]
