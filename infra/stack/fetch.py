"""The step of `modeltrail up` that makes the Java archives present and verified."""

import sys

from modeltrail.infra.stack.errors import StackError
from modeltrail.infra.stack.maven import cache_folder, fetch, read_lock


def main() -> int:
    """Fetch what is missing; 1 when that is not possible."""
    archives = [archive for program in read_lock().values() for archive in program]
    try:
        fetch(archives, cache_folder(), lambda line: print(line, flush=True))
    except StackError as error:
        print(error, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
