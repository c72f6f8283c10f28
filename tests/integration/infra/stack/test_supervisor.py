"""A supervisor with small programs for parts: order, failures, and nothing that survives."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modeltrail.infra.stack import control
from modeltrail.infra.stack.control import Launched, stop, wait_until_ready
from modeltrail.infra.stack.errors import PartFailed
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.process import TOKEN_VARIABLE, end_survivors, find, survivors
from modeltrail.infra.stack.state import StackState, load_state, save_state
from modeltrail.infra.stack.status import look
from tests.waiting import eventually

DRIVER = """
import json, os, sys
from modeltrail.infra.stack.layout import Layout
from modeltrail.infra.stack.part import Finishes, LogLine, Part
from modeltrail.infra.stack.process import TOKEN_VARIABLE
from modeltrail.infra.stack.supervisor import Supervisor
from modeltrail.infra.stack.wakeup import Wakeup
import fcntl

layout = Layout.at(sys.argv[1])
lock = layout.lock.open("w")
fcntl.flock(lock, fcntl.LOCK_EX)
parts = [
    Part(
        name=spec.pop("name"),
        argv=(sys.executable, "-c", spec.pop("code")),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ready=Finishes() if spec.pop("step", False) else LogLine("ready\\n"),
        depends_on=tuple(spec.pop("depends_on", ())),
        **spec,
    )
    for spec in json.loads(sys.argv[2])
]
supervisor = Supervisor(
    parts, layout, os.environ[TOKEN_VARIABLE], os.getpid(), 20.0, Wakeup(sys.stdin.fileno())
)
sys.exit(supervisor.run())
"""
SERVE = "import signal; print('ready'); signal.pause()"
Start = Callable[..., Launched]


def nobody(_state: StackState) -> None:
    return None


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "data")
    layout.create()
    return layout


@pytest.fixture
def start(layout: Layout) -> Iterator[Start]:
    launched: list[Launched] = []

    def start(*parts: dict[str, Any]) -> Launched:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(layout.root), json.dumps(parts)],
            env={**os.environ, TOKEN_VARIABLE: uuid.uuid4().hex},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        launched.append(Launched(process, layout))
        return launched[-1]

    yield start
    stop(layout, nobody)
    for each in launched:
        each.reap()


def state_of(layout: Layout) -> StackState:
    state = load_state(layout.state)
    assert state is not None
    return state


def test_a_part_starts_once_what_it_needs_is_ready(start: Start, layout: Layout) -> None:
    slow = "import time; time.sleep(0.3); " + SERVE

    launched = start(
        {"name": "step", "code": "pass", "step": True},
        {"name": "server", "code": slow, "depends_on": ["step"]},
        {"name": "worker", "code": SERVE, "depends_on": ["server"]},
    )
    state = wait_until_ready(launched, nobody)

    server, worker = state.part("server"), state.part("worker")
    assert worker.since >= server.since + server.took_s - 0.1
    assert [part.phase for part in state.parts] == ["done", "ready", "ready"]


def test_a_part_that_fails_is_named_with_the_end_of_its_log(start: Start, layout: Layout) -> None:
    launched = start(
        {"name": "server", "code": SERVE},
        {
            "name": "broken",
            "code": "import sys; print('no disk left'); sys.exit(3)",
            "depends_on": ["server"],
        },
    )

    with pytest.raises(PartFailed) as caught:
        wait_until_ready(launched, nobody)

    message = str(caught.value)
    assert message.startswith("broken did not start: it ended with 3.")
    assert "    no disk left" in message
    assert str(layout.log("broken")) in message
    assert "modeltrail doctor" in message
    assert survivors(state_of(layout).token) == []
    assert look(layout).state == "down"


def test_a_part_that_is_not_ready_in_time_fails(start: Start, layout: Layout) -> None:
    launched = start(
        {"name": "silent", "code": "import signal; signal.pause()", "ready_timeout_s": 0.2}
    )

    with pytest.raises(PartFailed, match="silent did not start: it was not ready in time"):
        wait_until_ready(launched, nobody)

    assert survivors(state_of(layout).token) == []


def test_parts_stop_in_reverse_order_of_need(start: Start, layout: Layout, tmp_path: Path) -> None:
    journal = tmp_path / "journal"

    def part(name: str) -> str:
        return (
            "import signal, sys, time\n"
            "def leave(*_):\n"
            "    time.sleep(0.1)\n"
            f"    open({str(journal)!r}, 'a').write('{name} ')\n"
            "    sys.exit(0)\n"
            "signal.signal(signal.SIGTERM, leave)\n"
            "print('ready')\n"
            "while True: signal.pause()\n"
        )

    launched = start(
        {"name": "server", "code": part("server")},
        # Like a migration: it is over, yet what comes after it needs the server still.
        {"name": "step", "code": "pass", "step": True, "depends_on": ["server"]},
        {"name": "worker", "code": part("worker"), "depends_on": ["step"]},
    )
    wait_until_ready(launched, nobody)

    assert stop(layout, nobody)

    assert launched.process.wait() == 0
    assert journal.read_text().split() == ["worker", "server"]
    assert not layout.state.exists()


def test_a_part_that_does_not_stop_when_asked_is_killed(start: Start, layout: Layout) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready')\n"
    stubborn = code + "while True: signal.pause()"
    launched = start({"name": "stubborn", "code": stubborn, "stop_timeout_s": 0.2})
    token = wait_until_ready(launched, nobody).token

    assert stop(layout, nobody)

    assert survivors(token) == []


def test_what_a_part_left_running_is_ended_too(start: Start, layout: Layout) -> None:
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],"
        " start_new_session=True)\n" + SERVE
    )
    token = wait_until_ready(start({"name": "parent", "code": code}), nobody).token
    eventually(lambda: len(survivors(token)) == 3)

    assert stop(layout, nobody)

    assert survivors(token) == []


def test_a_stack_that_starts_again_while_the_old_one_is_ended_stays_known(
    start: Start, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = wait_until_ready(start({"name": "server", "code": SERVE}), nobody)
    new = replace(old, token=uuid.uuid4().hex)

    def end_and_start_again(token: str, patience_s: float) -> None:
        end_survivors(token, patience_s)
        save_state(new, layout.state)

    monkeypatch.setattr(control, "end_survivors", end_and_start_again)
    assert stop(layout, nobody)
    monkeypatch.undo()

    assert load_state(layout.state) == new


def test_a_part_that_is_killed_is_named_with_what_to_do(start: Start, layout: Layout) -> None:
    launched = start({"name": "one", "code": SERVE}, {"name": "two", "code": SERVE})
    state = wait_until_ready(launched, nobody)

    os.kill(state.part("one").pid, signal.SIGKILL)

    eventually(lambda: state_of(layout).part("one").exit_code == -signal.SIGKILL)
    found = look(layout)
    assert found.state == "broken"
    assert found.message.startswith("one ended")
    assert "`modeltrail down`, then `modeltrail up --detach`" in found.message
    assert {part.name: part.state for part in found.parts} == {"one": "failed", "two": "ready"}


def test_addresses_are_private_and_there_only_while_a_part_serves(
    start: Start, layout: Layout
) -> None:
    launched = start(
        {"name": "server", "code": SERVE, "provides": {"kafka": {"bootstrap_servers": "x:1"}}}
    )
    state = wait_until_ready(launched, nobody)

    assert json.loads(layout.endpoints.read_text()) == {"kafka": {"bootstrap_servers": "x:1"}}
    assert layout.endpoints.stat().st_mode & 0o777 == 0o600

    os.kill(state.part("server").pid, signal.SIGKILL)
    eventually(lambda: json.loads(layout.endpoints.read_text()) == {})

    stop(layout, nobody)
    assert not layout.endpoints.exists()


def test_parts_die_with_a_supervisor_that_is_killed(start: Start, layout: Layout) -> None:
    launched = start({"name": "server", "code": SERVE})
    token = wait_until_ready(launched, nobody).token

    launched.process.kill()

    eventually(lambda: survivors(token) == [])
    assert look(layout).state == "down"


def test_down_ends_the_parts_that_outlived_a_killed_supervisor(
    start: Start, layout: Layout
) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code = deaf + "print('ready')\nwhile True: signal.pause()"
    launched = start({"name": "orphan", "code": code})
    token = wait_until_ready(launched, nobody).token
    launched.process.kill()
    launched.process.wait()
    assert look(layout).state == "broken"
    assert "supervisor was killed" in look(layout).message

    assert stop(layout, nobody, orphan_patience_s=0.1)

    assert survivors(token) == []
    assert not layout.state.exists()


def test_a_stack_ends_with_the_process_that_holds_its_lifeline(
    start: Start, layout: Layout
) -> None:
    launched = start({"name": "server", "code": SERVE})
    token = wait_until_ready(launched, nobody).token
    assert launched.process.stdin is not None

    launched.process.stdin.close()

    assert launched.process.wait(20) == 0
    assert survivors(token) == []


def test_a_pid_that_now_belongs_to_another_process_is_not_ours(
    start: Start, layout: Layout
) -> None:
    token = wait_until_ready(start({"name": "server", "code": SERVE}), nobody).token
    other = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"],
        env={**os.environ, TOKEN_VARIABLE: "another-stack"},
    )
    try:
        assert find(other.pid, token) is None
        assert find(os.getpid(), token) is None
    finally:
        other.kill()
        other.wait()


def test_the_log_of_the_run_before_is_kept(start: Start, layout: Layout) -> None:
    for text in ("first", "second"):
        code = f"print('{text}'); " + SERVE
        wait_until_ready(start({"name": "server", "code": code}), nobody)
        stop(layout, nobody)

    assert "second" in layout.log("server").read_text()
    assert "first" in layout.log("server").with_suffix(".log.1").read_text()
    assert layout.log("server").stat().st_mode & 0o777 == 0o600
