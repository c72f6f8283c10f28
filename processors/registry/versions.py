"""Answers which semantic version comes next.

Source: Semantic Versioning 2.0.0, written with the leading v that the registry's users know.
"""

import re
from typing import NamedTuple

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import VersionBump
from modeltrail.schemas.ids import Version

_VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class SemanticVersion(NamedTuple):
    """Major, minor and patch; compares as versions do."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"


FIRST = SemanticVersion(1, 0, 0)


def parse_version(text: str) -> SemanticVersion:
    """Parse `v1.2.3`.

    Raises:
        InvalidFact: anything else.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        raise InvalidFact(f"{text[:80]!r} is not a version: write it as v1.2.3")
    return SemanticVersion(*(int(part) for part in match.groups()))


def next_version(highest: SemanticVersion | None, bump: VersionBump) -> Version:
    """The version after `highest`; v1.0.0 where there is none.

    Raises:
        ValueError: `bump` is UNKNOWN.
    """
    if bump is VersionBump.UNKNOWN:
        raise ValueError("an unknown bump raises nothing")
    if highest is None:
        return Version(str(FIRST))
    following = {
        VersionBump.MAJOR: SemanticVersion(highest.major + 1, 0, 0),
        VersionBump.MINOR: SemanticVersion(highest.major, highest.minor + 1, 0),
        VersionBump.PATCH: SemanticVersion(highest.major, highest.minor, highest.patch + 1),
    }
    return Version(str(following[bump]))
