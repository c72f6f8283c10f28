"""The job that makes documents: told to stop, it leaves the rest to whoever does it again."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.config import Settings
from modeltrail.infra.confined import Interrupted
from modeltrail.processors.documents.citing import Cited
from modeltrail.processors.documents.job import DocumentJob
from modeltrail.processors.documents.reading import SubjectReader
from modeltrail.producers.eventlog.memory import MemorySchemaIds
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import (
    DocumentGenerated,
    DocumentKind,
    DocumentRequested,
    ModelRegistered,
)
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.ids import ModelId, Sha256, Version
from tests.unit.processors.documents.log import MODEL, START_US, VERSION, Log

CARD = Appended(
    0,
    0,
    START_US // 1000 + 10**6,
    replace(
        example_fact(DocumentRequested),
        kind=DocumentKind.MODEL_CARD,
        subject=MODEL,
        version=VERSION,
        as_of=None,
        requested_by="a person",
    ),
)


class Making:
    """A job on a log of one model; it notes its steps, and is told to stop in one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stop_in: str = "") -> None:
        self.steps: list[str] = []
        self.stop = threading.Event()
        self._stop_in = stop_in
        log = Log()
        log.add(ModelRegistered)

        def read(
            _: SubjectReader, model_id: ModelId, version: Version, _as_of: int
        ) -> tuple[Version, list[Cited]]:
            assert (model_id, version) == (MODEL, VERSION)
            self._note("read")
            return VERSION, log.facts

        def keep(path: Path) -> tuple[str, Sha256]:
            self._note(path.name)
            return f"file:///{path.name}", Sha256(bytes(32))

        monkeypatch.setattr(SubjectReader, "of_model", read)
        self.job = DocumentJob(Settings(), Codec(MemorySchemaIds()), keep)

    def _note(self, step: str) -> None:
        self.steps.append(step)
        if step == self._stop_in:
            self.stop.set()


def test_a_card_is_made_in_markdown_and_html(monkeypatch: pytest.MonkeyPatch) -> None:
    making = Making(monkeypatch)
    assert isinstance(making.job.do(CARD, making.stop), DocumentGenerated)
    assert making.steps == ["read", "document.md", "document.html"]


@pytest.mark.parametrize(
    ("told_in", "done"), [("read", ["read"]), ("document.md", ["read", "document.md"])]
)
def test_a_job_that_is_told_to_stop_begins_no_further_step(
    monkeypatch: pytest.MonkeyPatch, told_in: str, done: list[str]
) -> None:
    making = Making(monkeypatch, stop_in=told_in)
    with pytest.raises(Interrupted):
        making.job.do(CARD, making.stop)
    assert making.steps == done


def test_a_job_that_was_stopped_before_it_began_reads_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    making = Making(monkeypatch)
    making.stop.set()
    with pytest.raises(Interrupted):
        making.job.do(CARD, making.stop)
    assert making.steps == []
