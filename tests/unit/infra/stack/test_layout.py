"""Files of a stack are private, and passwords are made once."""

import json
from pathlib import Path

import pytest

from modeltrail.infra.stack.credentials import remembered_credentials
from modeltrail.infra.stack.layout import Layout, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "data")

    layout.create()

    assert (mode(layout.root), mode(layout.logs)) == (0o700, 0o700)


def test_a_private_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("before")
    file.chmod(0o644)

    write_private(file, "after")

    assert (file.read_text(), mode(file)) == ("after", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "state"
    write_private(file, "before")

    with pytest.raises(UnicodeEncodeError):
        write_private(file, "\ud800")

    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_passwords_are_made_once_and_differ(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"

    made = remembered_credentials(file)

    assert remembered_credentials(file) == made
    assert made.writer != made.reader
    assert len(made.writer) >= 32
    assert mode(file) == 0o600
    assert set(json.loads(file.read_text()).values()) == {made.writer, made.reader}


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    made = remembered_credentials(tmp_path / "credentials.json")

    assert made.writer not in repr(made)
    assert made.reader not in str(made)
