"""Documents out of a real log: as of any moment, the same bytes, and examples that run."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from clickhouse_driver import Client

from modeltrail import ExperimentTracker, Lineage, ModelRegistry
from modeltrail.infra.acknowledged import AcknowledgedProducer
from modeltrail.infra.cli.docs import docs
from modeltrail.infra.cli.document_jobs import ask_for_documents, run_documents
from modeltrail.infra.clickhouse import make_client
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.log_reader import PartitionReader
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.processors.documents.job import DocumentJob
from modeltrail.processors.documents.reading import SubjectReader
from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
from modeltrail.producers.registry.artifacts import open_artifact_store
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    DocumentGenerated,
    DocumentKind,
    DocumentRefused,
    DocumentRequested,
)
from modeltrail.schemas.ids import Micros, Sha256, derived_event_id
from modeltrail.schemas.topics import DOCUMENTS, key_of
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


Part = Callable[[Settings, threading.Event, Callable[[], None]], None]


@contextmanager
def working(
    settings: Settings, parts: tuple[Part, ...] = (ask_for_documents, run_documents)
) -> Iterator[None]:
    """The parts of the worker that make documents, in threads."""
    stop, ready = threading.Event(), threading.Event()
    threads = [threading.Thread(target=part, args=(settings, stop, ready.set)) for part in parts]
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
        timeout=300,
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


def documents_in(settings: Settings, codec: Codec) -> list[Appended]:
    """Every fact of the topic `documents`."""
    found = []
    name = DOCUMENTS.full_name(settings.kafka.topic_prefix)
    for partition in range(settings.kafka.partitions):
        with closing(PartitionReader(settings.kafka, name, partition)) as reader:
            low, end = reader.bounds()
            for record in reader.read(low, end) if low < end else ():
                fact = codec.decode(record.value or b"")
                found.append(Appended(partition, record.offset, record.appended_ms, fact))
    return found


def test_of_a_sweep_one_report_is_made_and_those_that_people_asked_for(
    fresh_settings: Settings,
) -> None:
    # Given five runs that ended, each of which called for a report, and one that a person wants
    settings = fresh_settings
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    with ExperimentTracker(settings) as tracker:
        runs = [tracker.start_experiment("sweep", {"rate": number}) for number in range(5)]
        for run in runs:
            tracker.end_experiment(run)
    by_hand = DocumentRequested(
        event_id=derived_event_id("by hand"), occurred_at=Micros(1), subject=runs[0],
        kind=DocumentKind.EXPERIMENT_REPORT, requested_by="ada",
    )  # fmt: skip
    name = DOCUMENTS.full_name(settings.kafka.topic_prefix)
    record = (key_of(by_hand.subject), codec.encode(by_hand))
    AcknowledgedProducer(settings.kafka).append(name, [record])
    with working(settings, (ask_for_documents,)):
        eventually(lambda: len(documents_in(settings, codec)) == 6)
    requests = documents_in(settings, codec)
    automatic = [each for each in requests if each.fact != by_hand]
    newest = max(automatic, key=lambda each: (each.appended_ms, each.partition, each.offset))

    # When the worker comes to them
    with working(settings, (run_documents,)):
        eventually(lambda: len(documents_in(settings, codec)) == 12)

    # Then the newest is made and tells of all, the others say so, and the person has an answer
    answers = {
        each.fact.request_id: each.fact
        for each in documents_in(settings, codec)
        if isinstance(each.fact, DocumentGenerated | DocumentRefused)
    }
    assert len(answers) == 6
    made = answers.pop(newest.fact.event_id)
    assert isinstance(made, DocumentGenerated)
    assert made.as_of == newest.appended_ms * 1000
    assert all(run in text_at(made.markdown_uri) for run in runs)
    assert isinstance(answers.pop(by_hand.event_id), DocumentGenerated)
    for answer in answers.values():
        assert isinstance(answer, DocumentRefused)
        assert answer.detail.startswith("superseded by ")
        assert f"partition {newest.partition} at offset {newest.offset}" in answer.detail

    # And a worker that begins with nothing, at any of them, decides and makes the same
    def keep(path: Path) -> tuple[str, Sha256]:
        kept = open_artifact_store(settings).put(path)
        return kept.uri, kept.sha256

    answers[newest.fact.event_id] = made
    for request in automatic:
        again = DocumentJob(settings, codec, keep).do(request, threading.Event())
        assert again == answers[request.fact.event_id]

    # And who looks at the views sees which is which, and that no run is without a report
    with (
        running_worker(settings, "projector"),
        make_client(settings.clickhouse) as client,
    ):
        query = "SELECT status FROM documents"
        wanted = {"SUPERSEDED": 4, "GENERATED": 2}
        eventually(lambda: Counter(status for (status,) in client.execute(query)) == wanted)
        query = "SELECT covered, total FROM coverage WHERE name = 'ended runs with a report'"
        eventually(lambda: client.execute(query) == [(5, 5)])
