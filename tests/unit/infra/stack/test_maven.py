"""Java archives are trusted only by the SHA-256 that the lock names."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from modeltrail.infra.stack.maven import (
    Locked,
    cache_folder,
    fetch,
    read_lock,
    tree_sha256_of,
    unpack,
    wrong_archives,
)


def locked_jar(cache: Path, content: bytes) -> Locked:
    locked = Locked(
        "org.example", "thing", "1.0", hashlib.sha256(content).hexdigest(), len(content)
    )
    file = locked.file(cache)
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return locked


def test_the_lock_names_every_archive_by_an_exact_version_and_hash() -> None:
    lock = read_lock()

    assert set(lock) == {"kafka", "registry"}
    for archive in [*lock["kafka"], *lock["registry"]]:
        assert len(bytes.fromhex(archive.sha256)) == 32
        assert archive.version not in ("RELEASE", "LATEST")
        assert "SNAPSHOT" not in archive.version
        assert archive.size > 0


def test_the_lock_holds_the_versions_that_the_stack_is_made_for() -> None:
    versions = {
        archive.artifact: archive.version for part in read_lock().values() for archive in part
    }

    # A broker with another kafka-clients than its own dies at start.
    assert versions["kafka_2.13"] == versions["kafka-clients"] == "4.3.1"
    assert versions["apicurio-registry-app"] == "3.3.3"


def test_a_right_archive_needs_no_download(tmp_path: Path) -> None:
    lines: list[str] = []

    fetch([locked_jar(tmp_path, b"jar")], tmp_path, lines.append)

    assert lines == ["1 Java archives verified"]


def test_a_missing_or_changed_archive_is_wrong(tmp_path: Path) -> None:
    locked = locked_jar(tmp_path, b"jar")
    assert wrong_archives([locked], tmp_path) == []

    locked.file(tmp_path).write_bytes(b"jam")
    assert wrong_archives([locked], tmp_path) == [locked]

    locked.file(tmp_path).unlink()
    assert wrong_archives([locked], tmp_path) == [locked]


def unpacked(tmp_path: Path) -> Locked:
    source = tmp_path / "source"
    (source / "lib").mkdir(parents=True)
    (source / "run.jar").write_bytes(b"run")
    (source / "lib" / "a.jar").write_bytes(b"a")
    sha256 = tree_sha256_of(source)
    locked = Locked("org.example", "app", "1", "00", 1, "all", "tar.gz", tree_sha256=sha256)
    source.rename(locked.tree(tmp_path))
    return locked


def test_an_unpacked_program_is_right_as_a_whole(tmp_path: Path) -> None:
    assert wrong_archives([unpacked(tmp_path)], tmp_path) == []


@pytest.mark.parametrize("change", ["changed", "removed", "added", "renamed"])
def test_any_change_to_an_unpacked_program_is_noticed(tmp_path: Path, change: str) -> None:
    locked = unpacked(tmp_path)
    jar = locked.tree(tmp_path) / "lib" / "a.jar"
    match change:
        case "changed":
            jar.write_bytes(b"b")
        case "removed":
            jar.unlink()
        case "added":
            jar.with_name("b.jar").write_bytes(b"")
        case "renamed":
            jar.rename(jar.with_name("b.jar"))

    assert wrong_archives([locked], tmp_path) == [locked]


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar.gz"
    (tmp_path / "payload").write_text("x")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "payload", arcname="../escaped")

    with pytest.raises(tarfile.TarError):
        unpack(archive, tmp_path / "inside")

    assert not (tmp_path / "escaped").exists()


def test_the_cache_is_the_users_and_shared_by_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_folder() == tmp_path / "modeltrail" / "java"
