"""The step before the Java programs: their archives are fetched if need be, and verified."""

from modeltrail.infra.stack.part import Finishes, Part
from modeltrail.infra.stack.python import python_command, python_environment

# A first start downloads 200 MiB, on a slow line in this long.
_TIMEOUT_S = 900.0


def java_part() -> Part:
    """The step named `java`."""
    return Part(
        name="java",
        argv=python_command("modeltrail.infra.stack.fetch"),
        env=python_environment(),
        ready=Finishes(),
        tells_progress=True,
        ready_timeout_s=_TIMEOUT_S,
    )
