"""Runs a training script in a process of its own and kills it in the middle."""

import subprocess
import sys
from collections.abc import Mapping


def last_step_before_kill(script: str, environment: Mapping[str, str], after: int) -> int:
    """The last step that a script printed, one a line, before a kill -9 after so many lines."""
    training = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert training.stdout is not None
    printed = [training.stdout.readline() for _ in range(after)]
    training.kill()
    printed += training.stdout.readlines()
    training.wait()
    training.stdout.close()
    return int([line for line in printed if line.endswith("\n")][-1])
