"""A CSV of ground truth is loaded as a whole or not at all, under ids that follow from its rows."""

from pathlib import Path

import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.errors import Unavailable
from modeltrail.producers.eventlog.appending import Appender
from modeltrail.producers.eventlog.memory import MemoryLog, MemorySchemaIds
from modeltrail.producers.truth import TruthFileInvalid, load_truth
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.events import GroundTruthObserved
from modeltrail.schemas.topics import INFERENCE, key_of

HEADING = "node_id,session_id,frame,model_id,faces,mask_coverage"


class Scene:
    """A folder with a file, and a log in memory."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "truth.csv"
        self.clock = ManualClock()
        self.log = MemoryLog(clock=self.clock)
        self.codec = Codec(MemorySchemaIds())

    def load(self, *lines: str, source: str = "annotators", encoding: str = "utf-8") -> int:
        self.path.write_text("\n".join(lines) + "\n", encoding=encoding)
        appender = Appender(self.log, self.codec, patience_s=0.1)
        return load_truth(self.path, source, appender, self.clock)

    def facts(self) -> list[GroundTruthObserved]:
        facts = [self.codec.decode(each.value or b"") for each in self.log.records(INFERENCE)]
        return [fact for fact in facts if isinstance(fact, GroundTruthObserved)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_each_row_becomes_a_fact_keyed_as_its_measurement(scene: Scene) -> None:
    assert scene.load(HEADING, "gate,morning,7,centerface,2,0.5") == 1

    (fact,) = scene.facts()
    assert (fact.node_id, fact.session_id, fact.frame, fact.model_id) == (
        *("gate", "morning", 7, "centerface"),
    )
    assert (fact.names, fact.values) == (("faces", "mask_coverage"), (2.0, 0.5))
    assert fact.source == "annotators"
    assert [each.key for each in scene.log.records(INFERENCE)] == [key_of("centerface", "gate")]


def test_an_empty_cell_says_nothing_about_its_measure(scene: Scene) -> None:
    scene.load(HEADING, "gate,morning,7,centerface,,0.5", "", "gate,morning,8,centerface,3,")

    assert {(fact.frame, fact.names) for fact in scene.facts()} == {
        (7, ("mask_coverage",)),
        (8, ("faces",)),
    }


def test_columns_may_come_in_any_order_and_from_a_spreadsheet(scene: Scene) -> None:
    scene.load("faces,frame,model_id,session_id,node_id", "2,7,m,s,n", encoding="utf-8-sig")

    (fact,) = scene.facts()
    assert (fact.node_id, fact.values) == ("n", (2.0,))


def test_loading_a_file_twice_appends_facts_with_the_same_ids(scene: Scene) -> None:
    rows = (HEADING, "gate,morning,7,centerface,2,0.5", "gate,morning,8,centerface,2,0.5")
    scene.load(*rows)
    scene.clock.advance(60)
    scene.load(*rows)

    assert len(scene.facts()) == 4
    assert len({fact.event_id for fact in scene.facts()}) == 2


def test_a_corrected_value_or_another_source_is_another_fact(scene: Scene) -> None:
    scene.load(HEADING, "gate,morning,7,centerface,2,0.5")
    scene.load(HEADING, "gate,morning,7,centerface,3,0.5")
    scene.load(HEADING, "gate,morning,7,centerface,2,0.5", source="another team")

    assert len({fact.event_id for fact in scene.facts()}) == 3


def test_one_bad_line_keeps_the_whole_file_out_and_every_bad_line_is_named(scene: Scene) -> None:
    with pytest.raises(TruthFileInvalid) as caught:
        scene.load(
            HEADING,
            "gate,morning,7,centerface,2,0.5",
            "gate,morning,-1,centerface,2,0.5",
            "gate,morning,8,centerface,two,0.5",
            "gate,morning,9,centerface,2,inf",
            ",morning,10,centerface,2,0.5",
            "gate,morning,11,centerface,,",
            "gate,morning,12,centerface,2",
            "gate,morning,7,centerface,9,0.9",
            "gate,morning," + "9" * 5000 + ",centerface,2,0.5",
            "gate,morning,13,centerface,1_0,0.5",
        )

    said = str(caught.value).splitlines()
    assert "9 bad lines, nothing was appended" in said[0]
    assert [line.split(":")[0].strip() for line in said[1:]] == [
        f"line {number}" for number in range(3, 12)
    ]
    assert "as line 2" in said[7]
    assert scene.facts() == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("gate-1, clip 7,3,centerface,2,", "line 3: session_id is ' clip 7'"),
        ("gate-1 ,clip 7,3,centerface,2,", "line 3: node_id is 'gate-1 '"),
        ("gate-1,clip 7, 3, centerface, 2,", "line 3: model_id is ' centerface'"),
    ],
)
def test_an_id_with_blanks_around_it_would_never_meet_its_measurement_and_is_refused(
    scene: Scene, row: str, said: str
) -> None:
    with pytest.raises(TruthFileInvalid, match=f"{said}: leave out the blanks"):
        scene.load(HEADING, "gate-1,clip 7,2,centerface, 2,", row)

    assert scene.facts() == []


def test_a_file_with_very_many_bad_lines_is_summed_up(scene: Scene) -> None:
    with pytest.raises(TruthFileInvalid, match="and 80 more"):
        scene.load(HEADING, *(f"gate,morning,x{number},m,1,1" for number in range(100)))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("node_id,session_id,frame,faces", "a,b,1,1"), "model_id"),
        (("node_id,session_id,frame,model_id", "a,b,1,m"), "no measure"),
        ((HEADING + ",faces", "a,b,1,m,1,1,1"), "twice"),
        ((HEADING + ",", "a,b,1,m,1,1,1"), "metric name"),
        ((HEADING,), "no rows"),
        (("",), "node_id"),
        ((HEADING, 'a,"b,1,m,1,1'), "no CSV"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_it_needs(
    scene: Scene, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(TruthFileInvalid, match=said):
        scene.load(*lines)

    assert scene.facts() == []


def test_a_file_in_another_encoding_is_refused(scene: Scene) -> None:
    with pytest.raises(TruthFileInvalid, match="UTF-8"):
        scene.load(HEADING, "gäte,morning,7,m,1,1", encoding="latin-1")


def test_a_file_that_is_not_there_is_refused(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(TruthFileInvalid, match="cannot be read"):
        load_truth(tmp_path / "none", "", Appender(scene.log, scene.codec), scene.clock)


def test_a_log_that_goes_away_is_reported_with_what_it_took(scene: Scene) -> None:
    scene.log.away = True

    with pytest.raises(Unavailable, match="0 of 1 rows were taken; load the file again"):
        scene.load(HEADING, "gate,morning,7,centerface,2,0.5")
