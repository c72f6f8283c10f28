"""What may name a model, run, node or metric, and how ids of facts are made."""

import hashlib

import pytest

from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.ids import (
    LONGEST_ID,
    LONGEST_METRIC_NAME,
    check_id,
    check_metric_name,
    derived_event_id,
    new_event_id,
    sha256_from_hex,
)


@pytest.mark.parametrize(
    "name", ["m", "centerface", "team/model:v1 (new)", "größe", "模型", "🙂", "x" * LONGEST_ID]
)
def test_ordinary_names_are_given_back(name: str) -> None:
    assert check_id("model_id", name) == name


@pytest.mark.parametrize(
    "name",
    ["\x00", "a\nb", "tab\t", "\x7f", "\x1f", "\u2028", "\u202e", "\ud800", "a\u00a0b", "\u200b"],
    ids=ascii,
)
def test_names_with_unprintable_characters_are_refused(name: str) -> None:
    with pytest.raises(InvalidFact, match=r"model_id .* holds unprintable characters"):
        check_id("model_id", name)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidFact, match="run_id is empty"):
        check_id("run_id", "")


@pytest.mark.parametrize("value", [None, 7, b"model", ["m"]])
def test_what_is_no_string_is_refused(value: object) -> None:
    with pytest.raises(InvalidFact, match="give a string"):
        check_id("node_id", value)  # type: ignore[arg-type]


def test_a_name_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(InvalidFact, match="has 1001 characters: 1000 are allowed"):
        check_id("model_id", "x" * (LONGEST_ID + 1))


def test_a_metric_name_of_10_mb_is_refused_with_a_short_message() -> None:
    with pytest.raises(InvalidFact) as refusal:
        check_metric_name("x" * 10_000_000)
    assert len(str(refusal.value)) < 200
    assert check_metric_name("x" * LONGEST_METRIC_NAME)


def test_a_derived_id_is_the_same_for_ever() -> None:
    assert (
        derived_event_id("registered", "centerface", 3).hex() == "05deb184d2045739a5be00c121edf42f"
    )
    assert derived_event_id("a", b"\x01\xff", 0).hex() == "ce80835e70915cabb59de7836ddc56c0"


def test_derived_ids_of_different_things_differ() -> None:
    about: list[tuple[str | bytes | int, ...]] = [
        (),
        ("",),
        ("", ""),
        ("a", "bc"),
        ("ab", "c"),
        ("abc",),
        ("a\x1fbc",),
        ("a\\", "bc"),
        ("a\\x1fbc",),
        ("1", "2"),
        (1, "2"),
        (12,),
        ("12",),
        (b"\x12",),
        (b"12",),
        ("3132",),
        (-1,),
        ("-1",),
    ]
    assert len({derived_event_id(*parts) for parts in about}) == len(about)


def test_new_ids_are_sixteen_bytes_and_never_repeat() -> None:
    assert {len(new_event_id()) for _ in range(1000)} == {16}
    assert len({new_event_id() for _ in range(1000)}) == 1000


def test_a_sha256_is_parsed_from_its_hex_digits() -> None:
    digest = hashlib.sha256(b"model")
    assert sha256_from_hex(digest.hexdigest()) == digest.digest()


@pytest.mark.parametrize("text", ["", "ab", "z" * 64, "0" * 63, "0" * 65, "0" * 10_000_000])
def test_what_is_no_sha256_is_refused(text: str) -> None:
    with pytest.raises(InvalidFact, match="is not a SHA-256"):
        sha256_from_hex(text)
