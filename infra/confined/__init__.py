"""Code that may do anything with what it is given, run in a process that cannot hurt ours."""

from modeltrail.infra.confined.limits import Limits, Struck
from modeltrail.infra.confined.running import Ending, Interrupted, run_confined

__all__ = ["Ending", "Interrupted", "Limits", "Struck", "run_confined"]
