"""Builds the command line and environment of the Python programs of a stack."""

import os
import sys

from modeltrail.infra.config import environment_name
from modeltrail.infra.stack.layout import Layout


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """Run one of our modules with the interpreter that runs us."""
    return (sys.executable, "-m", module, *arguments)


def python_environment(layout: Layout | None = None) -> dict[str, str]:
    """Our own environment, output unbuffered, and the data folder that our settings name."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if layout is not None:
        environment[environment_name("stack", "data_dir")] = str(layout.root)
    return environment
