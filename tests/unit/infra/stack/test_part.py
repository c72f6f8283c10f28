"""Parts know what they need; logs tell whether they are ready."""

from pathlib import Path

from modeltrail.infra.stack.part import Finishes, LogLine, Part, is_ready, last_lines, needs


def part(name: str, *depends_on: str) -> Part:
    return Part(name, ("true",), {}, Finishes(), depends_on)


def test_needs_reach_through_other_parts() -> None:
    parts = [part("java"), part("kafka", "java"), part("migrate", "kafka"), part("work", "migrate")]

    assert needs(parts)["work"] == {"migrate", "kafka", "java"}
    assert needs(parts)["java"] == set()


def test_a_part_is_ready_once_its_log_says_so(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("starting\n")
    assert not is_ready(LogLine("ready\n"), log)

    log.write_text("starting\nready\n")
    assert is_ready(LogLine("ready\n"), log)


def test_the_end_of_a_log_is_shown_without_blank_lines(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_bytes(b"one\n\ntwo\n\xff three \n\n")

    assert last_lines(log, 2) == ["two", "\ufffd three"]
    assert last_lines(tmp_path / "none.log", 2) == []
