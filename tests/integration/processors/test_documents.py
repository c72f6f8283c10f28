"""Documents out of a real log: as of any moment, the same bytes, and examples that run."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client

from modeltrail import ExperimentTracker, Lineage, ModelRegistry
from modeltrail.infra.cli.docs import docs
from modeltrail.infra.cli.document_jobs import ask_for_documents, run_documents
from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.documents.reading import SubjectReader
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.ids import Micros
from tests.integration.conftest import worker_environment
from tests.integration.workers import running_worker
from tests.waiting import eventually


@pytest.fixture
def life(fresh_settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A model that was learnt in a run and registered, with the workers that hear of it."""
    path = tmp_path / "centerface.onnx"
    path.write_bytes(with_free_input_size(pinned_model()))
    with (
        running_worker(fresh_settings, "processors"),
        running_worker(fresh_settings, "projector"),
    ):
        with ExperimentTracker(fresh_settings) as tracker:
            run = tracker.start_experiment("threshold", {"input": 320})
            for step, recall in enumerate((0.8, 0.9, 0.95)):
                tracker.log_metrics(run, {"recall": recall}, step=step)
            tracker.end_experiment(run)
        ModelRegistry(fresh_settings).register_model(
            "centerface", path, {"licence": "MIT"}, lineage=Lineage(run_id=run)
        )
        yield fresh_settings


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """The parts of the worker that make documents, in threads."""
    stop, ready = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=part, args=(settings, stop, ready.set))
        for part in (ask_for_documents, run_documents)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def asked(settings: Settings, *arguments: str) -> str:
    result = CliRunner().invoke(docs, arguments, obj=settings, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def text_at(uri: str) -> str:
    return Path(uri.removeprefix("file://")).read_text(encoding="utf-8")


def at(micros: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(micros // 1_000_000 + 1))


@pytest.fixture
def client(life: Settings) -> Iterator[Client]:
    with make_client(life.clickhouse) as client:
        yield client


@pytest.mark.timeout(240)
def test_documents_follow_from_the_log(life: Settings, client: Client, tmp_path: Path) -> None:
    registry = ModelRegistry(life)
    before = at(SystemClock().now_us())

    # Given a card as of now, its usage example runs as it stands
    card = asked(life, "model", "centerface", "--at", before)
    assert "| recall | 0.95 [[" in card
    assert "licence" not in re.findall(r"\| Tag (\S+)", card)
    example = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert example is not None
    done = subprocess.run(
        [sys.executable, "-c", example[1]],
        env={**os.environ, **worker_environment(life)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "(1, 1, 16, 16)" in done.stdout

    # When the log goes on
    registry.set_alias("centerface", "champion", "v1.0.0", by="release")

    # Then the card of now tells of it, and that of the moment before is the same bytes
    assert "Alias champion" in asked(life, "model", "centerface")
    assert asked(life, "model", "centerface", "--at", before) == card
    # And the report of the experiment says what to do next
    assert "Repeat 1 configurations" in asked(life, "experiment", "threshold")

    # When the worker hears of what happened
    with working(life):
        query = "SELECT kind, status FROM documents ORDER BY kind"
        wanted = [("EXPERIMENT_REPORT", "GENERATED"), ("MODEL_CARD", "GENERATED")]
        eventually(lambda: client.execute(query) == wanted)

        # And when somebody asks for one to be kept, it is the same document at the same moment
        where = asked(life, "model", "centerface", "--at", before, "--keep").split()
        assert text_at(where[0]) == card

    # Then each document lies in the store under its hash, and tells of the moment it was asked at
    places = client.execute(
        "SELECT markdown_uri, html_uri, citations, as_of FROM documents WHERE status = 'GENERATED'"
    )
    for markdown, html, citations, as_of in places:
        assert citations > 0
        assert as_of is not None
        assert text_at(markdown).count("](#event-") >= citations
        assert text_at(html).startswith("<!doctype html>")

    # And a reader that went through the log before finds what a new one finds
    codec = Codec(ConfluentSchemaIds(life.schema_registry))
    follows = SubjectReader(life, codec)
    _, facts = follows.of_experiment("threshold", Micros(SystemClock().now_us()))
    with ExperimentTracker(life) as tracker:
        tracker.end_experiment(tracker.start_experiment("threshold", {"input": 640}))
    now = Micros(SystemClock().now_us())
    found = follows.of_experiment("threshold", now)
    assert found == SubjectReader(life, codec).of_experiment("threshold", now)
    assert len(found[1]) > len(facts)
