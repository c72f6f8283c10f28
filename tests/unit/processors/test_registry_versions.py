"""The next semantic version follows the highest one, by the part that is bumped."""

import pytest

from modeltrail.processors.registry.versions import next_version, parse_version
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import VersionBump


@pytest.mark.parametrize(
    ("highest", "bump", "following"),
    [
        ("", VersionBump.MAJOR, "v1.0.0"),
        ("", VersionBump.PATCH, "v1.0.0"),
        ("v1.0.0", VersionBump.MAJOR, "v2.0.0"),
        ("v1.0.0", VersionBump.MINOR, "v1.1.0"),
        ("v1.1.0", VersionBump.PATCH, "v1.1.1"),
        ("v1.10.0", VersionBump.MINOR, "v1.11.0"),
        ("v2.3.4", VersionBump.MAJOR, "v3.0.0"),
    ],
)
def test_the_next_version_raises_the_bumped_part_of_the_highest(
    highest: str, bump: VersionBump, following: str
) -> None:
    assert next_version(parse_version(highest) if highest else None, bump) == following


@pytest.mark.parametrize("text", ["1.0.0", "v1.0", "v01.0.0", "v1.0.0-rc1", "", "v1.0.0 "])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidFact, match=r"v1\.2\.3"):
        parse_version(text)


def test_an_unknown_bump_raises_no_version() -> None:
    with pytest.raises(ValueError, match="unknown bump"):
        next_version(None, VersionBump.UNKNOWN)
