"""A fold is told everything: it asks no clock, throws no dice and keeps nothing of its own."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDS = sorted(
    path
    for room in ("processors", "producers", "sinks")
    for path in (ROOT / room).rglob("*.py")
    if path.stem == "fold" or path.parent.name == "fold"
)
CLOCKS_AND_CHANCE = {
    "monotonic",
    "new_event_id",
    "now",
    "perf_counter",
    "randbytes",
    "random",
    "time",
    "time_ns",
    "today",
    "token_bytes",
    "token_hex",
    "urandom",
    "utcnow",
    "uuid1",
    "uuid4",
}
ONE_A_FOLD = pytest.mark.parametrize("path", FOLDS, ids=lambda path: str(path.relative_to(ROOT)))


def test_there_is_a_fold_for_each_capability() -> None:
    capabilities = [
        folder for folder in (ROOT / "processors").iterdir() if (folder / "agent.py").exists()
    ]
    assert capabilities
    assert all((folder / "fold.py").exists() for folder in capabilities)


@ONE_A_FOLD
def test_fold_asks_no_clock_and_no_chance(path: Path) -> None:
    called = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for name in (ast.unparse(node.func).rpartition(".")[2],)
    }
    assert called.isdisjoint(CLOCKS_AND_CHANCE)


@ONE_A_FOLD
def test_fold_keeps_no_state_of_its_own_and_never_waits(path: Path) -> None:
    forbidden = (ast.Global, ast.Nonlocal, ast.AsyncFunctionDef, ast.Await, ast.Yield)
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, forbidden)]
    assert [ast.unparse(node) for node in nodes if not isinstance(node, ast.Yield)] == []


@ONE_A_FOLD
def test_state_of_a_fold_is_frozen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            decorators = " ".join(map(ast.unparse, node.decorator_list))
            assert "dataclass" not in decorators or "frozen=True" in decorators, node.name
