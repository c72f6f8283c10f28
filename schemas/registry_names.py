"""Answers which aliases, tags and reasons the registry takes."""

import re

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.ids import check_id

LONGEST_TEXT = 10_000
_VERSION = re.compile(r"v\d+\.\d+\.\d+")


def check_alias(name: str) -> str:
    """Give `name` back if it may be an alias.

    Raises:
        InvalidFact: no id, or written like a version, so that nobody could tell which is meant.
    """
    check_id("alias", name)
    if _VERSION.fullmatch(name):
        raise InvalidFact(f"alias {name[:80]!r} is written like a version: take another name")
    return name


def check_text(what: str, text: str) -> str:
    """Give `text` back if it may be a reason or the value of a tag.

    Raises:
        InvalidFact: no string, or longer than 10,000 characters.
    """
    if not isinstance(text, str):
        raise InvalidFact(f"{what} is a {type(text).__name__}: give a string")
    if len(text) > LONGEST_TEXT:
        raise InvalidFact(f"{what} has {len(text):,} characters: {LONGEST_TEXT:,} are allowed")
    return text
