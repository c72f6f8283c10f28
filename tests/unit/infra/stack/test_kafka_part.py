"""The command that formats Kafka's storage is one that it understands."""

import uuid
from pathlib import Path

import pytest

from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.parts.kafka import kafka_parts


def test_no_cluster_id_looks_like_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given chance that would make the id begin with a dash
    numbers = iter([uuid.UUID(bytes=b"\xfb" * 16), uuid.UUID(bytes=b"\x01" * 16)])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(numbers))

    formatting, _ = kafka_parts(
        Layout.at(tmp_path), {"kafka": 1, "kafka_controller": 2}, [], 64, None
    )

    cluster_id = formatting.argv[formatting.argv.index("-t") + 1]
    assert not cluster_id.startswith("-")
    assert len(cluster_id) == 22
