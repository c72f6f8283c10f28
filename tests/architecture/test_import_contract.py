"""Who imports whom is a contract, and breaking it is a failing test."""

import ast
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("infra", "producers", "processors", "schemas", "sinks")
CONTRACT = ROOT / ".importlinter"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """The verdict of import-linter over the package `modeltrail` in `folder`."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def contracts() -> ConfigParser:
    parser = ConfigParser()
    parser.read(CONTRACT)
    return parser


def names_of_contracts() -> list[str]:
    parser = contracts()
    return [parser[section]["name"] for section in parser if ":contract:" in section]


def test_the_rooms_keep_the_contract() -> None:
    verdict = lint_imports(ROOT)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_every_part_of_infra_has_its_place_in_the_layers() -> None:
    layers = contracts()["importlinter:contract:rooms"]["layers"]
    parts = {
        path.stem
        for path in (ROOT / "infra").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert set(re.findall(r"modeltrail\.infra\.(\w+)", layers)) == parts


# For each contract a module that breaks it.
VIOLATIONS = {
    "rooms": ("schemas/codec.py", "import modeltrail.sinks.projector"),
    "capabilities": ("processors/drift/agent.py", "import modeltrail.processors.registry.fold"),
    "read-side": ("processors/drift/fold.py", "import modeltrail.infra.clickhouse"),
    "pure-folds": ("processors/registry/fold.py", "import confluent_kafka"),
    "timeless-folds": ("producers/registry/fold.py", "from datetime import datetime"),
    "slim-nodes": ("producers/monitor.py", "def late() -> None:\n    import polars"),
    "facts": ("schemas/ids.py", "import fsspec"),
    "engine": ("sinks/projector/__init__.py", "from chdb import query"),
}


def test_each_contract_breaks_where_it_should(tmp_path: Path) -> None:
    sections = [section for section in contracts() if ":contract:" in section]
    assert [section.rpartition(":")[2] for section in sections] == list(VIOLATIONS)
    layers = contracts()["importlinter:contract:rooms"]["layers"]
    for module in re.findall(r"modeltrail\.([\w.]+)", layers):
        write(tmp_path, f"{module.replace('.', '/')}/__init__.py", "")
    for module in re.findall(r"\w+", contracts()["importlinter:contract:capabilities"]["layers"]):
        write(tmp_path, f"processors/{module}/__init__.py", "")
    write(tmp_path, "processors/app/__init__.py", "import modeltrail.processors.registry.fold")
    for name, text in VIOLATIONS.values():
        write(tmp_path, name, text)

    verdict = lint_imports(tmp_path)

    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    report = " ".join(verdict.stdout.split())
    assert [name for name in names_of_contracts() if f"{name} BROKEN" not in report] == []


def write(folder: Path, name: str, text: str) -> None:
    """Write a module into the package `modeltrail` of a folder, with the packages around it."""
    path = folder / "modeltrail" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for package in [path.parent, *path.parent.parents]:
        if package == folder:
            break
        (package / "__init__.py").touch()
    path.write_text(text)
    (folder / CONTRACT.name).write_text(CONTRACT.read_text())


def python_files() -> list[Path]:
    return sorted(path for folder in (*ROOMS, "tests") for path in (ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def test_rooms_are_imported_by_their_full_name() -> None:
    """A node's own application often has a package called `schemas` or `infra`."""
    bare = {
        str(path.relative_to(ROOT)): sorted(names)
        for path in python_files()
        if (names := {name for name in imports_of(path) if name.split(".")[0] in ROOMS})
    }
    assert bare == {}


def test_no_room_imports_relatively() -> None:
    """It would hide which room is reached."""
    relative = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if path.relative_to(ROOT).parts[0] in ROOMS
        and any(name.startswith(".") for name in imports_of(path))
    ]
    assert relative == []


def test_no_room_imports_the_public_namespace() -> None:
    """It lies above the rooms: they would import themselves in a circle."""
    users = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if path.relative_to(ROOT).parts[0] in ROOMS and "modeltrail" in imports_of(path)
    ]
    assert users == []
