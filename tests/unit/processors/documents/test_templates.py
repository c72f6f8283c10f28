"""Templates of the user come before the package's; a wrong one is named."""

from pathlib import Path

import pytest

from modeltrail.processors.documents.model_card import model_card
from modeltrail.processors.documents.rendering import TemplateFailed, html_of, markdown_of
from modeltrail.schemas.events import ModelRegistered
from modeltrail.schemas.ids import Micros
from tests.unit.processors.documents.log import MODEL, START_US, VERSION, Log


@pytest.fixture
def log() -> Log:
    log = Log()
    log.add(ModelRegistered)
    return log


def test_a_template_of_the_users_own_lays_the_card_out(log: Log, tmp_path: Path) -> None:
    # Given a template that tells of the details alone
    (tmp_path / "model_card.md.j2").write_text("# Ours: {{ title }}\n\n{{ details }}\n")
    document = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))

    # Then Markdown and HTML follow it
    text = markdown_of(document, tmp_path)
    assert text.startswith("# Ours: centerface v2.0.0\n")
    assert "## Evaluation" not in text
    assert "<h1>Ours: centerface v2.0.0</h1>" in html_of(document, tmp_path)


def test_the_page_around_a_document_can_be_the_users_own(log: Log, tmp_path: Path) -> None:
    (tmp_path / "page.html.j2").write_text("<body class='ours'>{{ content | safe }}</body>")
    document = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))

    page = html_of(document, tmp_path)

    assert page.startswith("<body class='ours'>")
    assert "<h1>centerface v2.0.0</h1>" in page


def test_a_folder_of_templates_that_is_not_there_is_named(log: Log, tmp_path: Path) -> None:
    document = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))

    with pytest.raises(TemplateFailed, match="gone is no folder"):
        markdown_of(document, tmp_path / "gone")


@pytest.mark.parametrize(
    "wrong", ["{{ no_such_part }}", "{% if %}", "{{ 1 / 0 }}", "{{ 1 + title }}"]
)
def test_a_template_that_is_wrong_is_named(log: Log, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "model_card.md.j2").write_text(wrong)
    document = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))

    with pytest.raises(TemplateFailed, match=r"model_card\.md\.j2"):
        markdown_of(document, tmp_path)
