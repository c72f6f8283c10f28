"""Runs a peer's script in an environment of its own, made from its hashed lock when first asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def ask_peer(name: str, script: Path, *arguments: str) -> dict[str, Any]:
    """The JSON that the script prints as its last line.

    Args:
        name: of the peer: `requirements/bench-NAME.txt` is its lock.
        script: what to run there; it imports nothing of ours.
        arguments: its arguments.
    """
    done = subprocess.run(
        [str(_python_of(name)), str(script), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _python_of(name: str) -> Path:
    folder = Path(".venv-bench") / name
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        uv = Path(sys.executable).with_name("uv")
        install = ["pip", "install", "--quiet", "--python", str(python), "--require-hashes"]
        subprocess.run([str(uv), *install, "-r", f"requirements/bench-{name}.txt"], check=True)
    return python
