"""Who may connect: accounts with hashed passwords, read from and written to a private file."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

Role = Literal["writer", "reader"]

_SETTING: Final = re.compile(r"[a-z][a-z0-9_]*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NO_LIMITS: Final[Mapping[str, int]] = MappingProxyType({})


class AccountsError(Exception):
    """An accounts file that cannot be used, with what to change in it."""


@dataclass(frozen=True)
class Account:
    """One account; a reader sees only `databases` and runs under `limits`.

    `limits` are ClickHouse settings such as `max_memory_usage` (bytes), `max_execution_time`
    (seconds) and `max_result_rows` (rows). `external_sources` lets a writer use file(), url(),
    remote() and their like; nobody may by default.
    """

    name: str
    password_sha256: str = field(repr=False)
    role: Role
    databases: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=lambda: _NO_LIMITS)
    external_sources: bool = False

    @classmethod
    def with_password(
        cls,
        name: str,
        password: str,
        role: Role,
        *,
        databases: tuple[str, ...] = (),
        limits: Mapping[str, int] = _NO_LIMITS,
        external_sources: bool = False,
    ) -> Account:
        """An account for a password, of which only the hash is kept."""
        return cls(name, _hash(password), role, databases, limits, external_sources)


def parse_accounts(text: str) -> tuple[Account, ...]:
    """Read the accounts out of a file's JSON.

    Raises:
        AccountsError: it is not of the expected form; the message says what to change.
    """
    try:
        entries = json.loads(text)["accounts"]
        accounts = tuple(_parse_account(entry) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AccountsError(
            'The accounts file must be JSON of the form {"accounts": [{"name", '
            f'"password_sha256", "role", …}}]}}: {type(error).__name__} {error}'
        ) from error
    names = [account.name for account in accounts]
    if len(set(names)) != len(names):
        raise AccountsError("The accounts file names an account twice: remove one of them.")
    return accounts


def write_accounts(path: Path, accounts: Iterable[Account]) -> None:
    """Write an accounts file that only its owner can read, replacing one that is there."""
    entries = [
        {
            "name": account.name,
            "password_sha256": account.password_sha256,
            "role": account.role,
            "databases": list(account.databases),
            "limits": dict(account.limits),
            "external_sources": account.external_sources,
        }
        for account in accounts
    ]
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        json.dump({"accounts": entries}, file, indent=2)
    temporary.replace(path)


def authenticate(accounts: Iterable[Account], name: str, password: str) -> Account | None:
    """The account with this name and password; takes the same time whether the name is known."""
    given = _hash(password)
    matched = None
    for account in accounts:
        same_name = hmac.compare_digest(account.name.encode(), name.encode())
        same_password = hmac.compare_digest(account.password_sha256, given)
        if same_name and same_password:
            matched = account
    return matched


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _parse_account(entry: dict[str, Any]) -> Account:
    unknown = set(entry) - {
        "name", "password_sha256", "role", "databases", "limits", "external_sources",
    }  # fmt: skip
    if unknown:
        raise AccountsError(f"Unknown keys {sorted(unknown)} in an account: remove them.")
    name, role, limits = entry["name"], entry["role"], entry.get("limits", {})
    databases, sources = entry.get("databases", []), entry.get("external_sources", False)
    if not isinstance(name, str) or not name:
        raise AccountsError("An account needs a name.")
    if role not in get_args(Role):
        raise AccountsError(f"Account {name}: the role must be writer or reader.")
    if not _SHA256.fullmatch(entry["password_sha256"]):
        raise AccountsError(f"Account {name}: password_sha256 must be 64 lower-case hex digits.")
    if not isinstance(databases, list) or not all(isinstance(one, str) for one in databases):
        raise AccountsError(f"Account {name}: databases must be a list of names.")
    if role == "reader" and (sources or not databases):
        raise AccountsError(f"Account {name}: a reader needs databases and has no other sources.")
    for setting, value in limits.items():
        if not _SETTING.fullmatch(setting) or type(value) is not int or value < 0:
            raise AccountsError(f"Account {name}: limit {setting!r} must be a whole number.")
    return Account(
        name, entry["password_sha256"], role, tuple(databases),
        MappingProxyType(dict(limits)), bool(sources),
    )  # fmt: skip
