"""Runs a worker whose agent of measurements takes its time with every fetch of the log.

python -m tests.bench.slowed worker processors
"""

import asyncio
from unittest.mock import patch

from modeltrail.infra.cli import main
from modeltrail.processors.batching import FetchBatch
from modeltrail.processors.windows.agent import MeasurementsAgent

PAUSE_S = 0.5
_handle = MeasurementsAgent.handle


async def _slowly(agent: MeasurementsAgent, fetch: FetchBatch) -> None:
    await asyncio.sleep(PAUSE_S)
    await _handle(agent, fetch)


if __name__ == "__main__":
    with patch.object(MeasurementsAgent, "handle", _slowly):
        main()
