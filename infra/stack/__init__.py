"""The embedded stack: real servers on 127.0.0.1, started and stopped without root or Docker."""

from modeltrail.infra.stack.running import running_stack

__all__ = ["running_stack"]
