"""What confined processes of the tests do; each is named by its test as `module:function`."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modeltrail.infra.confined.child import Tell

MIB = 1024 * 1024


def look_around(request: Mapping[str, Any], tell: Tell) -> None:
    tell(
        {
            "request": dict(request),
            "environment": sorted(os.environ),
            "folder": str(Path.cwd()),
            "files": sorted(each.name for each in Path.cwd().iterdir()),
            "stdin": sys.stdin.read(),
            "leads_session": os.getsid(0) == os.getpid(),
        }
    )


def spin(request: Mapping[str, Any], tell: Tell) -> None:
    tell({"begun": True})
    while True:
        pass


def sleep(request: Mapping[str, Any], tell: Tell) -> None:
    tell({"begun": True})
    time.sleep(600)


def allocate(request: Mapping[str, Any], tell: Tell) -> None:
    held = [bytearray(64 * MIB) for _ in range(request["mb"] // 64)]
    tell({"held": len(held)})


def write(request: Mapping[str, Any], tell: Tell) -> None:
    Path("large").write_bytes(bytes(request["mb"] * MIB))
    tell({"written": True})


def open_many(request: Mapping[str, Any], tell: Tell) -> None:
    held = [open("/dev/null") for _ in range(request["files"])]  # noqa: SIM115
    tell({"held": len(held)})


def talk_without_end(request: Mapping[str, Any], tell: Tell) -> None:
    while True:
        tell({"text": "x" * 10_000})


def say_much_and_fail(request: Mapping[str, Any], tell: Tell) -> None:
    print("noise " * 100_000)
    print("the last word", file=sys.stderr, flush=True)
    raise RuntimeError("it went wrong")


def die(request: Mapping[str, Any], tell: Tell) -> None:
    tell({"begun": True})
    os.kill(os.getpid(), request["signal"])


def leave_a_child(request: Mapping[str, Any], tell: Tell) -> None:
    if (child := os.fork()) == 0:
        time.sleep(600)
    tell({"child": child})


def break_out(request: Mapping[str, Any], tell: Tell) -> None:
    """Try what only somebody hostile does; tell what the kernel said to it."""
    tries: dict[str, Callable[[], object]] = {
        "overwrite": lambda: Path(request["file"]).write_text("mine"),
        "remove": lambda: Path(request["file"]).unlink(),
        "make": lambda: Path(request["file"] + ".new").write_text("mine"),
        "truncate": lambda: os.truncate(request["file"], 0),
        "connect": lambda: socket.create_connection(("127.0.0.1", request["port"]), 2.0),
        "signal": lambda: os.kill(request["parent"], signal.SIGUSR1),
        "start": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    }
    outcomes = {}
    for name, attempt in tries.items():
        try:
            attempt()
            outcomes[name] = "done"
        except OSError as error:
            outcomes[name] = type(error).__name__
    Path("own").write_text("what it may do")
    tell({"outcomes": outcomes, "read": Path(request["file"]).read_text()})


def tell_no_json(request: Mapping[str, Any], tell: Tell) -> None:
    tell({"good": 1})
    pipe = max(int(each) for each in os.listdir("/proc/self/fd") if _is_pipe(each))
    os.write(pipe, b'\x80\x04pickle\n[1, 2]\n{"number": NaN}\n')
    os.write(pipe, b'{"number": 1e999}\n{"text": "\\ud800"}\n')
    os.write(pipe, b"[" * 100_000 + b"\n" + json.dumps({"good": 2}).encode()[:-1])


def tell_of_a_limit_that_is_none(request: Mapping[str, Any], tell: Tell) -> None:
    tell({"error": "no error", "struck": ["nonsense"]})


def _is_pipe(number: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("pipe:") and int(number) > 2
    except OSError:
        return False
