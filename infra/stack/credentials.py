"""Makes the passwords of a stack's ClickHouse accounts once, and keeps them in a private file."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from modeltrail.infra.stack.layout import write_private


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """The clear passwords of the writing and the reading account."""

    writer: str
    reader: str


def remembered_credentials(file: Path) -> Credentials:
    """The passwords of this data folder, made at the first call."""
    if file.exists():
        return Credentials(**json.loads(file.read_text()))
    made = Credentials(writer=secrets.token_urlsafe(24), reader=secrets.token_urlsafe(24))
    write_private(file, json.dumps(asdict(made)))
    return made
