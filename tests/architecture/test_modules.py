"""Each module says what it answers for, stays small, and does nothing before it is asked."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("infra", "producers", "processors", "schemas", "sinks")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_MODULE = 300
VAGUE = ("util", "utils", "helper", "helpers", "common", "manager", "misc", "tools")

ONE_A_MODULE = pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(ROOT))
)


@pytest.mark.parametrize("path", MODULES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_opens_with_one_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    opening = docstring.split("\n\n")[0]
    assert opening, "say in one sentence what the module answers for"
    assert opening.endswith("."), opening
    assert len(opening) <= 250, opening


@ONE_A_MODULE
def test_module_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE, "split it"


@ONE_A_MODULE
def test_module_has_a_name_that_says_something(path: Path) -> None:
    words = {
        word for part in path.relative_to(ROOT).with_suffix("").parts for word in part.split("_")
    }
    assert words.isdisjoint(VAGUE)


@ONE_A_MODULE
def test_module_reads_no_environment_when_imported(path: Path) -> None:
    read = [
        node.lineno
        for node in run_at_import(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "argv")
    ]
    assert read == []


def run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported: not what is inside of functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
                if part is not None:
                    yield from (part, *run_at_import(part))
        elif not isinstance(node, ast.Lambda) and not _is_main_guard(node):
            yield node
            yield from run_at_import(node)


def _is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


IMPORT_EVERYTHING = """
import importlib, json, sys, threading
names, world = json.load(sys.stdin), []
WATCHED = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.fork",
           "os.system", "os.posix_spawn", "os.mkdir", "os.remove", "os.rename"}
def watch(event, arguments):
    # urllib3 tries at import whether the machine has IPv6, on a port of no meaning.
    if event == "socket.bind" and arguments[1] == ("::1", 0):
        return
    # croniter, which Faust imports, asks at import how wide the interpreter's pointers are.
    if event == "subprocess.Popen" and arguments[1][:2] == ["file", "-b"]:
        return
    if event in WATCHED:
        world.append([event, repr(arguments)])
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        world.append([event, repr(arguments)])
sys.dont_write_bytecode = True
sys.addaudithook(watch)
touched = {}
for name in names:
    importlib.import_module(name)
    if world:
        touched[name] = list(world)
        world.clear()
threads = [thread.name for thread in threading.enumerate() if thread.name != "MainThread"]
json.dump({"touched": touched, "threads": threads}, sys.stdout)
"""


def test_importing_every_module_touches_nothing() -> None:
    names = [
        ".".join(("modeltrail", *path.relative_to(ROOT).with_suffix("").parts))
        for path in MODULES
        if path.stem != "__main__"
    ]
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING],
        input=json.dumps([name.removesuffix(".__init__") for name in names]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert json.loads(answer.stdout) == {"touched": {}, "threads": []}
