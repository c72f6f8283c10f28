"""What a process loads before it asks the registry for the first time."""

import json
import subprocess
import sys

from modeltrail.infra.config import Settings
from tests.integration.conftest import worker_environment

# A child that is forked while another thread imports a module can never import it.
ASK_AND_TELL_WHAT_WAS_IMPORTED = """
import json, sys
from modeltrail.infra.config import load_settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds

ids = ConfluentSchemaIds(load_settings().schema_registry)
before = set(sys.modules)
schema_id = ids.id_of("Asked", '{"type": "record", "name": "Asked", "fields": []}')
print(json.dumps([schema_id, sorted(set(sys.modules) - before)]))
"""


def test_the_first_question_imports_nothing_in_the_middle_of_which_a_fork_could_come(
    fresh_settings: Settings,
) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK_AND_TELL_WHAT_WAS_IMPORTED],
        env=worker_environment(fresh_settings),
        capture_output=True,
        text=True,
        check=True,
    )

    schema_id, imported = json.loads(asked.stdout)
    assert schema_id > 0
    assert imported == []
