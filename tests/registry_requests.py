"""Makes logs of requests to the registry, good and bad ones, in any order and repeated."""

import hashlib
from typing import Any

from hypothesis import strategies as st

from modeltrail.processors.registry.fold import ModelState, fold
from modeltrail.schemas.events import (
    AliasRequested,
    ArchiveRequested,
    EraseRequested,
    Fact,
    ModelRegistrationRequested,
    TagRequested,
    VersionBump,
)
from modeltrail.schemas.ids import Micros, ModelId, Sha256, derived_event_id
from modeltrail.schemas.registry_dialogue import RegistryRequest

VERSIONS = st.sampled_from(("v1.0.0", "v2.0.0", "v1.1.0", "v9.9.9", None))
ALIASES = st.sampled_from(("champion", "shadow", "", "v1.0.0"))


@st.composite
def requests(draw: st.DrawFn, number: int) -> RegistryRequest:
    about: dict[str, Any] = {
        "event_id": derived_event_id("request", number),
        "occurred_at": Micros(number),
        "model_id": ModelId("m"),
    }
    kind = draw(st.sampled_from(("register", "register", "alias", "tag", "archive", "erase")))
    if kind == "register":
        artifact = draw(st.integers(0, 4))
        return ModelRegistrationRequested(
            **about,
            artifact_uri="file:///a",
            artifact_sha256=Sha256(hashlib.sha256(bytes([artifact])).digest()),
            artifact_size=draw(st.integers(0, 3)),
            metadata_json=draw(st.sampled_from(["{}", "nothing"])),
            bump=draw(st.sampled_from(VersionBump)),
        )
    about["version"] = draw(VERSIONS)
    about["reason"] = draw(st.sampled_from(("", "because", "x" * 10_001)))
    if kind == "alias":
        return AliasRequested(**about, alias=draw(ALIASES))
    if kind == "tag":
        return TagRequested(**about, name="t", value=draw(st.sampled_from(("x", None))))
    if kind == "archive":
        return ArchiveRequested(**about, restore=draw(st.booleans()))
    return EraseRequested(**about)


@st.composite
def request_logs(draw: st.DrawFn) -> list[RegistryRequest]:
    """Requests in any order, some of them sent several times."""
    asked = [draw(requests(number)) for number in range(draw(st.integers(0, 14)))]
    again = draw(st.lists(st.sampled_from(asked), max_size=4)) if asked else []
    return draw(st.permutations(asked + again))


def answers_of(log: list[RegistryRequest], state: ModelState) -> list[Fact]:
    given: list[Fact] = []
    for request in log:
        state, new = fold(state, request)
        given += new
    return given
