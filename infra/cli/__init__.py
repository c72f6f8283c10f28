"""The front door: `modeltrail COMMAND`; the module of a command loads when it is used."""

import sys


def main() -> None:
    """Run the command line of this process; exits with its code."""
    try:
        from modeltrail.infra.cli.group import run
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(f'the command line needs {error.name}: run `pip install "modeltrail[embedded]"`')
    run()
