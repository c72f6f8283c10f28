"""Measures peers on the very events of the benchmark: they only decode, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

from modeltrail.infra.config import Settings
from modeltrail.schemas.catalog import newest_schema, without_logical_types
from modeltrail.schemas.events import InferenceMeasured
from modeltrail.schemas.topics import INFERENCE
from tests.bench.peers.environment import ask_peer

_FOLDER = Path(__file__).parent
#: A plain Faust agent takes minutes for a million.
FAUST_EVENTS = 100_000


def decoding_rates(settings: Settings, count: int, folder: Path) -> dict[str, tuple[float, str]]:
    """Events a second and version of each peer, on the first `count` events of the topic."""
    schema = folder / "InferenceMeasured.avsc"
    text = newest_schema(InferenceMeasured.record).text
    schema.write_text(json.dumps(without_logical_types(json.loads(text))))
    topic = INFERENCE.full_name(settings.kafka.topic_prefix)
    common = [settings.kafka.bootstrap_servers, topic, str(schema)]
    bytewax = ask_peer("bytewax", _FOLDER / "bytewax_decode.py", *common, str(count))
    quix = ask_peer("quix", _FOLDER / "quix_decode.py", *common, str(count))
    command = [sys.executable, str(_FOLDER / "faust_decode.py"), *common, str(FAUST_EVENTS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=400)
    faust = json.loads(done.stdout.splitlines()[-1])
    return {
        "bytewax": (bytewax["rate"], bytewax["version"]),
        "quix": (quix["rate"], quix["version"]),
        "faust_vanilla": (faust["rate"], faust["version"]),
    }
