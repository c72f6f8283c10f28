"""Makes `python -m modeltrail.infra.cli` the same as `modeltrail`."""

from modeltrail.infra.cli import main

main()
