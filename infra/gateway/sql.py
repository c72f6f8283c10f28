"""The little that the gateway must read out of a statement's text before the engine runs it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from modeltrail.infra.gateway.errors import Code, GatewayError

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|\u2018[^\u2019]*\u2019)
    |(?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|\u201c[^\u201d]*\u201d)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<other>\d[\w.]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
#: Table functions that read nothing which is stored.
TABLE_FUNCTIONS_OF_NOTHING: Final = frozenset(
    {
        "numbers", "numbers_mt", "zeros", "zeros_mt", "primes", "generateseries",
        "generate_series", "values", "view", "null", "generaterandom",
    }
)  # fmt: skip
#: Those that read what the engine's own grants cover, or what stands in the statement.
_TABLE_FUNCTIONS_INSIDE: Final = frozenset({"dictionary", "format", "merge"})


class Token(NamedTuple):
    """One lexeme; `text` is upper case for words, and the unquoted name for quoted ones."""

    kind: str
    text: str
    start: int
    end: int


#: What stands past the last lexeme.
NOTHING: Final = Token("", "", 0, 0)


@dataclass(frozen=True)
class Insert:
    """The parts of an INSERT: where to, and where the rows come from."""

    #: A table, or a call of a table function.
    target: str
    is_function: bool
    columns: str | None
    settings: str
    #: "blocks" from the client, "inline" in the statement, or "select".
    rows: str

    @property
    def into(self) -> str:
        """What stands after INSERT INTO, up to the settings."""
        named = f"FUNCTION {self.target}" if self.is_function else self.target
        return f"{named} ({self.columns})" if self.columns is not None else named


def tokens(sql: str, start: int = 0) -> Iterator[Token]:
    """The lexemes of a statement, without blanks and comments."""
    for found in _TOKEN.finditer(sql, start):
        kind = str(found.lastgroup) if found.lastgroup != "tag" else "string"
        if kind == "blank":
            continue
        text = found[0]
        if text[0].isdigit() and sql.startswith("$", found.end()):
            # A name that begins with digits, or a number and a heredoc: only the engine knows.
            raise GatewayError(Code.SYNTAX_ERROR, "Syntax error: a $ right after a number.")
        if kind == "word":
            text = text.upper()
        elif kind == "quoted":
            text = text[1:-1]
        yield Token(kind, text, found.start(), found.end())


def single_statement(sql: str) -> tuple[str, list[Token]]:
    """The statement without a closing semicolon, and its lexemes.

    Raises:
        GatewayError: there is none, or more than one.
    """
    lexemes = list(tokens(sql))
    end = len(lexemes)
    while end and lexemes[end - 1].text == ";":
        end -= 1
    if any(token.kind == "other" and token.text == ";" for token in lexemes[:end]):
        raise GatewayError(Code.SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
    if not end:
        raise GatewayError(Code.SYNTAX_ERROR, "Syntax error: empty query.")
    return sql[: lexemes[end - 1].end], lexemes[:end]


def keyword(lexemes: Sequence[Token]) -> str:
    """The word that a statement begins with, past opening brackets."""
    return next((token.text for token in lexemes if token.text != "("), "")


def without_output(sql: str, lexemes: Sequence[Token]) -> str:
    """The statement without its FORMAT clause, which is the client's business.

    Raises:
        GatewayError: it wants to write a file where the gateway runs.
    """
    refuse_outfile(lexemes)
    for index, token in enumerate(lexemes[:-1]):
        following = lexemes[index + 1]
        if token.kind != "word" or following.kind not in ("word", "quoted"):
            continue
        rest = lexemes[index + 2] if index + 2 < len(lexemes) else None
        if token.text == "FORMAT" and (rest is None or rest.text == "SETTINGS"):
            return sql[: token.start] + sql[following.end :]
    return sql


def refuse_outfile(lexemes: Sequence[Token]) -> None:
    """Refuse a statement that may write a file where the gateway runs.

    Raises:
        GatewayError: it has INTO OUTFILE anywhere.
    """
    for token, following in itertools.pairwise(lexemes):
        if token.text.upper() == "INTO" and following.text.upper() == "OUTFILE":
            raise GatewayError(Code.NOT_IMPLEMENTED, "INTO OUTFILE is up to the client.")


def changes_role(lexemes: Sequence[Token]) -> bool:
    """Whether this is a statement that takes or gives up rights, which belong to the account."""
    first = [token.text for token in lexemes[:3]]
    return (first[0] == "SET" and "ROLE" in first) or first[:2] == ["EXECUTE", "AS"]


def has_totals(lexemes: Sequence[Token]) -> bool:
    """Whether a SELECT asks for a row of totals beside its result."""
    words = [token.text for token in lexemes if token.kind == "word"]
    return ("WITH", "TOTALS") in itertools.pairwise(words)


def calls_file_function(lexemes: Sequence[Token]) -> bool:
    """Whether the text seems to use the function file(), by its name or as a value."""
    for index, token in enumerate(lexemes):
        if token.kind == "quoted" and "\\" in token.text:
            return True
        if token.kind not in ("word", "quoted") or token.text.upper() != "FILE":
            continue
        before = lexemes[index - 1].text if index else ""
        after = lexemes[index + 1].text if index + 1 < len(lexemes) else ""
        if (after == "(" and before not in ("FUNCTION", "JOIN", "TABLE")) or (
            before == "(" and after == ","
        ):
            return True
        # APPLY takes a function's name, with or without brackets.
        if "APPLY" in (token.text for token in lexemes[max(0, index - 2) : index]):
            return True
    return False


def reaches_outside(lexemes: Sequence[Token], table_functions: Collection[str]) -> str:
    """What in a statement reaches files or networks past the engine's grants; empty: nothing.

    Args:
        lexemes: of the statement.
        table_functions: names of all that the engine has, in lower case.
    """
    words = [token.text.lower() for token in lexemes]
    calls = {word for word, after in itertools.pairwise(words) if after == "("}
    if "filelog" in words:
        return "the engine FileLog"
    if "disk" in calls:
        return "a disk of its own"
    if ("security", "none") in itertools.pairwise(words):
        # The engine checks nobody's rights when such a view is read.
        inside = TABLE_FUNCTIONS_OF_NOTHING | _TABLE_FUNCTIONS_INSIDE
        reading = sorted((calls & frozenset(table_functions)) - inside)
        return f"{reading[0]}() in SQL SECURITY NONE" if reading else ""
    return ""


def parse_insert(sql: str) -> Insert | None:
    """Read an INSERT up to its rows; None when the statement is none.

    Raises:
        GatewayError: it takes its rows from a file where the gateway runs.
    """
    stream = tokens(sql)
    token = next(stream, None)
    if token is None or token.text != "INSERT":
        return None
    return _InsertReader(sql, stream).read()


class _InsertReader:
    def __init__(self, sql: str, stream: Iterator[Token]) -> None:
        self._sql = sql
        self._stream = stream
        self._token = self._next()

    def read(self) -> Insert:
        self._skip("INTO")
        is_function = self._skip("TABLE", "FUNCTION") == "FUNCTION"
        if not is_function:
            is_function = self._skip("FUNCTION") == "FUNCTION"
        target = self._target(is_function)
        columns = None
        if self._token.text == "(":
            start = self._token.end
            if self._first_inside() in ("SELECT", "WITH"):
                return Insert(target, is_function, None, "", "select")
            columns = self._sql[start : self._skip_brackets() - 1]
        settings = self._settings()
        return Insert(target, is_function, columns, settings, self._rows())

    def _rows(self) -> str:
        match self._token.text:
            case "VALUES":
                return "inline" if self._has_more() else "blocks"
            case "FORMAT":
                self._token = self._next()
                return "inline" if self._has_more() else "blocks"
            case "FROM":
                raise GatewayError(Code.NOT_IMPLEMENTED, "FROM INFILE is up to the client.")
            case "" | ";":
                return "blocks"
        return "select"

    def _target(self, is_function: bool) -> str:
        start, end = self._token.start, self._token.end
        self._token = self._next()
        while self._token.text == ".":
            self._token = self._next()
            end = self._token.end
            self._token = self._next()
        if self._sql[start:end] == "{":
            raise GatewayError(Code.NOT_IMPLEMENTED, "INSERT into a parameter.")
        if is_function and self._token.text == "(":
            end = self._skip_brackets()
        return self._sql[start:end]

    def _settings(self) -> str:
        if self._token.text != "SETTINGS":
            return ""
        start = end = self._token.start
        while self._token.text not in ("VALUES", "FORMAT", "SELECT", "WITH", "FROM", ""):
            end = self._token.end
            self._token = self._next()
        return self._sql[start:end]

    def _skip_brackets(self) -> int:
        depth, end = 0, self._token.end
        while self._token.text:
            depth += (self._token.text == "(") - (self._token.text == ")")
            end = self._token.end
            self._token = self._next()
            if not depth:
                break
        return end

    def _first_inside(self) -> str:
        return next(tokens(self._sql, self._token.end), NOTHING).text

    def _has_more(self) -> bool:
        return bool(self._sql[self._token.end :].strip(" \t\r\n;"))

    def _skip(self, *words: str) -> str:
        last = ""
        for word in words:
            if self._token.kind == "word" and self._token.text == word:
                last = word
                self._token = self._next()
        return last

    def _next(self) -> Token:
        return next(self._stream, Token("", "", len(self._sql), len(self._sql)))
