"""A stack is looked at through what its supervisor left on disk."""

from pathlib import Path

from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.state import PartState, StackState, load_state, save_state
from modeltrail.infra.stack.status import look


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    kafka = PartState("kafka", "ready", pid=7, since=1.5, took_s=0.5, ports={"kafka": 9092})
    state = StackState("token", 6, 1.0, "ready", (PartState("java", "done", exit_code=0), kafka))

    save_state(state, tmp_path / "state.json")

    assert load_state(tmp_path / "state.json") == state


def test_there_is_no_state_before_the_first_start(tmp_path: Path) -> None:
    assert load_state(tmp_path / "state.json") is None


def test_a_folder_without_a_stack_is_down_and_says_how_to_start(tmp_path: Path) -> None:
    found = look(Layout.at(tmp_path))

    assert found.state == "down"
    assert "modeltrail up" in found.message


def test_a_start_that_failed_is_remembered(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    state = StackState("gone", 1, 0.0, "failed", (PartState("kafka", "failed", exit_code=1),))
    save_state(state, layout.state)

    found = look(layout)

    assert found.state == "down"
    assert "kafka did not start last time" in found.message


def test_a_killed_supervisor_whose_parts_are_gone_is_down(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    # The pid is that of a living process, which is not ours: it lacks the token.
    save_state(StackState("gone", 1, 0.0, "ready", (PartState("kafka", "ready", 1),)), layout.state)

    found = look(layout)

    assert found.state == "down"
    assert "supervisor was killed" in found.message
