"""Whatever people write into the log, a document stays a document."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from modeltrail.processors.documents.model_card import model_card
from modeltrail.processors.documents.rendering import html_of, markdown_of
from modeltrail.schemas.events import AlertAcknowledged, AlertRaised, ModelRegistered
from modeltrail.schemas.ids import EventId, Micros
from tests.unit.processors.documents.log import MODEL, START_US, VERSION, Log

ALERT = EventId(b"a" * 16)


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=1, max_size=60))
def test_what_people_wrote_never_becomes_markup(comment: str) -> None:
    # Given an acknowledgement with any words, markup among them
    log = Log()
    log.add(ModelRegistered)
    log.add(AlertRaised, alert_id=ALERT)
    log.add(AlertAcknowledged, alert_id=ALERT, comment=f"<img src=x>{comment}|\n## x")

    # When the card becomes Markdown and a page
    document = model_card(MODEL, VERSION, log.facts, Micros(START_US + 10**9))
    text = markdown_of(document)
    page = html_of(replace(document, figures={}))

    # Then there is no element and no heading of theirs
    assert "\n## x" not in text
    assert "<img" not in page
