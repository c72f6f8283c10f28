"""What is committed is small, belongs to no machine, and names no package registry's host."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from modeltrail.schemas.catalog import released_checksums

ROOT = Path(__file__).parents[2]
LARGEST_FILE = 1_000_000
# Put together here, so that this file does not name them itself.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("python" + "hosted", "org"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("npmjs", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("conda", "anaconda", "org"),
        ("huggingface", "co"),
    )
)
HOMES = re.compile(rb"(?<![\w.])/(?:home|root|Users|work)/\w")


@cache
def committed() -> tuple[Path, ...]:
    """Every file that is in the index, or new and not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = (ROOT / name for name in listing.split("\0") if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_check() -> None:
    assert "schemas/released.json" in map(named, committed())


def test_no_file_is_large() -> None:
    assert [named(path) for path in committed() if path.stat().st_size > LARGEST_FILE] == []


@pytest.mark.parametrize("host", HOSTS)
def test_no_registry_host_is_named(host: str) -> None:
    """Clients get packages from wherever they are configured to."""
    assert [named(path) for path in committed() if host.encode() in path.read_bytes()] == []


def test_no_path_of_a_machine_is_named() -> None:
    found = {
        named(path): match.group().decode()
        for path in committed()
        if (match := HOMES.search(path.read_bytes()))
    }
    assert found == {}


def test_every_schema_file_has_a_checksum() -> None:
    files = {named(path) for path in committed() if path.suffix == ".avsc"}
    assert files == {f"schemas/avro/{name}" for name in released_checksums()}


def test_nothing_generated_is_committed() -> None:
    generated = {"__pycache__", ".venv", ".modeltrail", ".hypothesis", "node_modules"}
    assert [named(path) for path in committed() if generated & set(path.parts)] == []
