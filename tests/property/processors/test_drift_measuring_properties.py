"""Series that are measured together get what each gets alone, and what the plain method gives."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltrail.processors.drift.history import BUCKET_US, BUCKETS, History
from modeltrail.processors.drift.measuring import Due, measured
from modeltrail.processors.drift.reference import Reference, compiled
from modeltrail.processors.drift.series import Series, SeriesState
from modeltrail.schemas.events import (
    DriftMeasured,
    FeatureDrift,
    FeatureKind,
    FeatureProfile,
    ReferenceProfiled,
)
from modeltrail.schemas.ids import EventId, Micros, ModelId, Sha256, Version
from modeltrail.schemas.rulebook import DEFAULT_POLICY, WINDOWS
from tests.property.processors.plain_drift import plain_drift

#: A full hour, so windows of every length end at it.
END = Micros(1_800_000_000_000_000)
Rng = np.random.Generator


@st.composite
def _fleets(draw: st.DrawFn) -> list[Due]:
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    kinds = st.sampled_from((FeatureKind.NUMERIC, FeatureKind.CATEGORICAL))
    features = st.lists(st.tuples(kinds, st.integers(2, 14)), min_size=1, max_size=4)
    hours = st.tuples(
        st.sampled_from(("steady", "slow", "still", "flips", "shifts", "sparse")),
        st.sampled_from((1, 5, 6, 7, 11, 12, 13, 59, 200, BUCKETS, BUCKETS, BUCKETS + 70)),
        st.sampled_from((0.0, 0.0, 0.05, 0.5)),
    )
    series = draw(st.lists(st.tuples(features, hours), min_size=1, max_size=7))
    windows, enough = st.sampled_from(sorted(WINDOWS)), st.sampled_from((5, 100, 10**6))
    return [
        _due(rng, number, _reference(rng, shapes), hour, draw(windows), draw(enough))
        for number, (shapes, hour) in enumerate(series)
    ]


def _reference(rng: Rng, shapes: Sequence[tuple[FeatureKind, int]]) -> Reference:
    profiles = []
    for number, (kind, bins) in enumerate(shapes):
        counts = tuple(rng.multinomial(rng.integers(20, 9_000), rng.dirichlet(np.ones(bins))))
        if kind is FeatureKind.NUMERIC:
            edges = tuple(range(1, bins))
            profiles.append(FeatureProfile(f"f{number}", kind, counts, edges=edges))
        else:
            categories = tuple(map(str, range(bins)))
            profiles.append(FeatureProfile(f"f{number}", kind, counts, categories=categories))
    fact = ReferenceProfiled(
        EventId(rng.bytes(16)),
        Micros(0),
        ModelId("model"),
        Version("v1"),
        "data",
        Sha256(bytes(32)),
        1,
        tuple(profiles),
    )
    return compiled(fact)


def _due(
    rng: Rng,
    number: int,
    reference: Reference,
    hour: tuple[str, int, float],
    window: str,
    enough: int,
) -> Due:
    style, buckets, gaps = hour
    history = History(reference)
    rows = np.concatenate(
        [_hour(rng, style, buckets, len(feature.counts)) for feature in reference.features], axis=1
    )
    for age, row in zip(range(buckets - 1, -1, -1), rows, strict=True):
        if rng.random() >= gaps:
            history.add(Micros(END - age * BUCKET_US), row)
    series = Series(ModelId(f"model-{number}"), Version("v1"), "production", "champion")
    state = SeriesState(END, history)
    policy = replace(DEFAULT_POLICY, window=window, minimum_effective_samples=enough)
    return Due(series, state, history, policy)


def _hour(rng: Rng, style: str, buckets: int, bins: int) -> np.ndarray[tuple[int, int], np.dtype]:
    """Counts in the style of a stream, shape (buckets, bins)."""
    sizes = rng.integers(20, 60, buckets)
    usual = rng.dirichlet(np.ones(bins))
    if style == "sparse":
        return rng.multinomial(rng.poisson(1.0, buckets), usual)
    if style in ("still", "flips"):
        places = np.zeros(buckets, int) if style == "still" else rng.integers(0, 2, buckets)
        return sizes[:, None] * np.eye(bins, dtype=int)[places]
    shares = np.tile(usual, (buckets, 1))
    if style == "slow":
        moving = np.convolve(rng.random(buckets + 19), np.ones(20) / 20, "valid")[:, None]
        shares = moving * usual + (1 - moving) * usual[::-1]
    if style == "shifts":
        shares[-buckets // 3 :] = usual[::-1]
    return rng.multinomial(sizes, shares)


def _values(fact: DriftMeasured) -> list[object]:
    """All that was measured, with floats to their last bit."""
    return [
        value.hex() if isinstance(value, float) else value
        for feature in fact.features
        for value in (
            feature.name,
            feature.psi,
            feature.js,
            feature.statistic,
            feature.p_value,
            feature.adjusted_p_value,
            feature.samples,
            feature.effective_samples,
            feature.drifted,
        )
    ]


@given(_fleets())
def test_together_each_series_gets_what_it_gets_alone_to_the_last_bit(fleet: list[Due]) -> None:
    together = list(measured(fleet, END))

    alone = [fact for one in fleet for fact in measured([one], END)]
    assert together == alone
    assert [_values(fact) for fact in together] == [_values(fact) for fact in alone]
    backwards = list(measured(fleet[::-1], END))
    assert [_values(fact) for fact in backwards[::-1]] == [_values(fact) for fact in together]


@given(_fleets())
def test_each_feature_gets_what_the_plain_method_gives(fleet: list[Due]) -> None:
    facts = {fact.model_id: fact for fact in measured(fleet, END)}

    for series, _, history, policy in fleet:
        found = {feature.name: feature for feature in _features(facts.get(series.model_id))}
        reference, length = history.reference, WINDOWS[policy.window] // BUCKET_US
        buckets, known = np.zeros((BUCKETS, reference.width)), history.known(END)
        buckets[known] = history.until(END, known)
        for feature, place in zip(reference.features, reference.slices, strict=True):
            enough = policy.minimum_effective_samples
            plain = plain_drift(feature, buckets[:, place], length, enough)
            assert (plain is None) == (feature.name not in found)
            if plain is None:
                continue
            seen = found[feature.name]
            assert seen.samples == plain.samples
            assert seen.effective_samples == pytest.approx(plain.effective, rel=1e-9)
            assert seen.psi == pytest.approx(plain.psi, rel=1e-9, abs=1e-12)
            assert seen.js == pytest.approx(plain.js, rel=1e-9, abs=1e-7)
            assert seen.statistic == pytest.approx(plain.statistic, rel=1e-9, abs=1e-12)
            assert seen.p_value == pytest.approx(plain.p_value, rel=1e-9, abs=1e-12)


def _features(fact: DriftMeasured | None) -> tuple[FeatureDrift, ...]:
    return fact.features if fact else ()
