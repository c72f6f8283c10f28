"""A confined process does what it is asked, meets its limits, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from modeltrail.infra.confined import Ending, Interrupted, Limits, Struck, run_confined
from modeltrail.infra.confined.isolation import (
    NO_NETWORK,
    NO_NEW_PRIVILEGES,
    OWN_FILES_ONLY,
)
from tests.waiting import eventually

ENTRIES = "tests.unit.infra.confined.entries"
LIMITS = Limits(wall_s=30.0, cpu_s=20.0, memory_mb=256)


def run(entry: str, limits: Limits = LIMITS, **request: object) -> Ending:
    return run_confined(f"{ENTRIES}:{entry}", request, limits)


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_it_has_an_empty_folder_a_clean_environment_and_no_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MODELTRAIL_KAFKA_SASL_PASSWORD", "secret")

    ending = run("look_around", number=7)

    assert (ending.struck, ending.failure) == (Struck.NONE, "")
    [told] = ending.told
    assert told["request"] == {"number": 7}
    assert not [name for name in told["environment"] if name.startswith("MODELTRAIL")]
    assert told["files"] == []
    assert told["stdin"] == ""
    assert told["leads_session"] is True
    assert not Path(told["folder"]).exists()
    assert ending.cpu_s > 0


def test_the_memory_that_it_takes_is_seen() -> None:
    ending = run("sleep", replace(LIMITS, wall_s=2.0))

    assert 5 < ending.peak_memory_mb < 100


@pytest.mark.parametrize(
    ("entry", "changed", "request_of", "struck"),
    [
        ("spin", {"cpu_s": 1.0}, {}, Struck.CPU),
        ("sleep", {"wall_s": 0.5}, {}, Struck.WALL),
        ("allocate", {}, {"mb": 4096}, Struck.MEMORY),
        ("write", {"file_mb": 1}, {"mb": 4}, Struck.FILES),
        ("talk_without_end", {"answer_bytes": 100_000}, {}, Struck.ANSWER),
    ],
)
def test_the_limit_that_ends_it_is_named(
    entry: str, changed: dict[str, float], request_of: dict[str, object], struck: Struck
) -> None:
    ending = run(entry, replace(LIMITS, **changed), **request_of)  # type: ignore[arg-type]

    assert ending.struck is struck
    assert ending.wall_s < 10


def test_what_stays_below_the_limits_is_let_through() -> None:
    assert run("allocate", mb=192).told == ({"held": 3},)
    assert run("write", mb=8).told == ({"written": True},)


def test_open_files_are_limited() -> None:
    ending = run("open_many", replace(LIMITS, open_files=32), files=100)
    assert "Too many open files" in ending.failure


def test_an_error_is_told_with_the_end_of_what_was_said() -> None:
    ending = run("say_much_and_fail")

    assert ending.failure == "RuntimeError: it went wrong"
    assert ending.said.strip().endswith("the last word")
    assert len(ending.said) <= 4000


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_a_failure_and_what_was_told_before_is_kept(number: signal.Signals) -> None:
    ending = run("die", signal=int(number))

    assert number.name in ending.failure
    assert ending.struck is Struck.NONE
    assert ending.told == ({"begun": True},)


def test_what_is_no_json_object_is_not_believed() -> None:
    assert run("tell_no_json").told == ({"good": 1},)


def test_a_limit_that_does_not_exist_is_not_believed() -> None:
    ending = run("tell_of_a_limit_that_is_none")
    assert (ending.struck, ending.failure) == (Struck.NONE, "no error")


def test_processes_that_it_started_end_with_it() -> None:
    [told] = run("leave_a_child", replace(LIMITS, wall_s=3.0)).told
    eventually(lambda: not is_alive(told["child"]), patience_s=5.0)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux isolates it")
def test_it_cannot_reach_what_is_not_its_own(tmp_path: Path) -> None:
    # given a file of ours, a server of ours, and ourselves
    file = tmp_path / "precious"
    file.write_text("ours")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ending = run("break_out", file=str(file), port=port, parent=os.getpid())
    if NO_NETWORK not in ending.isolation or OWN_FILES_ONLY not in ending.isolation:
        pytest.skip(f"this kernel only gives {ending.isolation}")
    # then it got at none of them, and could still read and use its own folder
    [told] = ending.told
    assert told["read"] == file.read_text() == "ours"
    assert not Path(f"{file}.new").exists()
    assert "done" not in told["outcomes"].values(), told["outcomes"]
    assert NO_NEW_PRIVILEGES in ending.isolation


def test_it_ends_early_when_it_is_told_to() -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()

    with pytest.raises(Interrupted):
        run_confined(f"{ENTRIES}:sleep", {}, LIMITS, stop)
    timer.join()


PARENT = """
import sys
from modeltrail.infra.confined import Limits, run_confined
print("go", flush=True)
run_confined(sys.argv[1], {}, Limits(wall_s=600.0, cpu_s=600.0, memory_mb=256))
"""


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in found.read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends it")
def test_it_dies_with_whoever_started_it() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, f"{ENTRIES}:sleep"], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    eventually(lambda: children_of(parent.pid), patience_s=10.0)
    [child] = children_of(parent.pid)
    # from here on it is bound to its parent
    eventually(lambda: b"confined.child" in Path(f"/proc/{child}/cmdline").read_bytes())
    eventually(lambda: _adjusted(child), patience_s=10.0)

    parent.kill()
    parent.communicate()

    eventually(lambda: not is_alive(child), patience_s=5.0)


def _adjusted(pid: int) -> bool:
    return Path(f"/proc/{pid}/oom_score_adj").read_text() == "1000\n"


def test_no_file_stays_open() -> None:
    before = os.listdir("/proc/self/fd")
    run("look_around")
    assert len(os.listdir("/proc/self/fd")) == len(before)
