"""Distances and tests on counts give what their definitions and other implementations give."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from modeltrail.processors.drift.chi_square import chi_square
from modeltrail.processors.drift.corrections import adjusted_p_values
from modeltrail.processors.drift.counting import counted
from modeltrail.processors.drift.jensen_shannon import jensen_shannon_distance
from modeltrail.processors.drift.kolmogorov_smirnov import ks_distance, ks_p_value
from modeltrail.processors.drift.psi import expected_psi, psi
from modeltrail.processors.drift.reference import Feature, compiled
from modeltrail.schemas.events import FeatureKind, FeatureProfile, MetricWindow, ReferenceProfiled
from tests.scenario.processors.drift_streams import Floats, profiled, windows_of

Draw = Callable[[np.random.Generator, int], Floats]
#: Raw values of one feature whose shares shift: skewed, signed, and with a value that repeats.
SHIFTS: dict[str, tuple[Draw, Draw]] = {
    "brightness": (lambda rng, n: rng.normal(120, 30, n), lambda rng, n: rng.normal(100, 35, n)),
    "signed": (lambda rng, n: rng.normal(0, 1, n), lambda rng, n: rng.normal(0.5, 1, n)),
    "sharpness": (lambda rng, n: rng.lognormal(5, 1, n), lambda rng, n: rng.lognormal(5.4, 1, n)),
    "often nothing": (
        lambda rng, n: np.where(rng.random(n) < 0.4, 0.0, rng.gamma(2.0, 3.0, n)),
        lambda rng, n: np.where(rng.random(n) < 0.6, 0.0, rng.gamma(2.0, 3.0, n)),
    ),
}


def _exact_psi(observed: Floats, reference: Floats, edges: tuple[float, ...]) -> float:
    """On raw values: a value on an edge lies right of it."""
    sides = [np.digitize(values, edges) for values in (observed, reference)]
    p, q = (np.bincount(side, minlength=len(edges) + 1) / len(side) for side in sides)
    return float(np.sum((p - q) * np.log(p / q)))


@pytest.mark.parametrize("name", SHIFTS)
def test_psi_from_the_bins_of_a_window_is_within_a_hundredth_of_the_one_of_raw_values(
    name: str,
) -> None:
    rng = np.random.default_rng(7)
    usual, shifted = SHIFTS[name]
    reference, observed = usual(rng, 20_000), shifted(rng, 1_500)
    fact = profiled({"feature": reference}).fact
    assert isinstance(fact, ReferenceProfiled)
    profile = compiled(fact)
    (feature,) = profile.features
    (window,) = windows_of("feature", observed, per_bucket=1_500)

    (counts,) = counted([(profile, {"feature": window})])
    found = float(psi(counts, feature.counts))

    assert found > 0.02
    assert found == pytest.approx(
        _exact_psi(observed, reference, fact.features[0].edges), abs=1e-9
    ), "edges lie between sketch bins, so nothing is lost"
    deciles = tuple(np.quantile(reference, np.arange(1, 10) / 10))
    if name != "often nothing":
        assert found == pytest.approx(_exact_psi(observed, reference, deciles), abs=0.01)


def test_psi_of_equal_shares_is_0_whatever_the_totals() -> None:
    assert psi(np.array([10, 20, 30]), np.array([100, 200, 300])) == 0.0


def test_an_empty_bin_counts_as_half_a_value() -> None:
    found = psi(np.array([0, 100]), np.array([50, 50]))

    expected = (0.005 - 0.5) * np.log(0.005 / 0.5) + (1 - 0.5) * np.log(1 / 0.5)
    assert found == pytest.approx(expected)


def test_psi_of_two_samples_of_one_distribution_is_about_what_is_expected_of_it() -> None:
    rng = np.random.default_rng(3)
    shares = np.full(10, 0.1)
    found = [psi(rng.multinomial(500, shares), rng.multinomial(2_000, shares)) for _ in range(400)]

    assert np.mean(found) == pytest.approx(expected_psi(10, 500, 2_000), rel=0.1)


def test_jensen_shannon_reaches_from_0_to_1() -> None:
    assert jensen_shannon_distance(np.array([5, 5, 0]), np.array([50, 50, 0])) == 0.0
    assert jensen_shannon_distance(np.array([5, 0]), np.array([0, 9])) == 1.0


def test_jensen_shannon_of_known_shares() -> None:
    half = 0.5 * np.log2(0.5 / 0.75)
    divergence = (0.0 - np.log2(0.75) + half + 0.5 * np.log2(0.5 / 0.25)) / 2

    found = jensen_shannon_distance(np.array([4, 0]), np.array([2, 2]))

    assert found == pytest.approx(np.sqrt(divergence))


def test_the_ks_distance_is_that_of_raw_values_that_lie_in_the_middle_of_their_bins() -> None:
    rng = np.random.default_rng(11)
    observed, reference = rng.integers(0, 10, 300), rng.binomial(9, 0.4, 500)

    counts = [np.bincount(values, minlength=10) for values in (observed, reference)]

    assert ks_distance(*counts) == pytest.approx(stats.ks_2samp(observed, reference).statistic)


@pytest.mark.parametrize(("n", "m", "distance"), [(100, 5_000, 0.12), (1_500, 20_000, 0.04)])
def test_the_ks_p_value_is_near_the_exact_one(n: int, m: int, distance: float) -> None:
    effective = n * m / (n + m)

    exact = float(stats.kstwo.sf(distance, round(effective)))

    assert ks_p_value(distance, n, m) == pytest.approx(exact, rel=0.05)


def test_chi_square_of_independent_values_is_the_one_of_a_contingency_table() -> None:
    observed, reference = np.array([30, 50, 20, 0]), np.array([400, 400, 200, 0])

    statistic, p_value = chi_square(observed, reference, effective=100)

    expected = stats.chi2_contingency([observed[:3], reference[:3]], correction=False)
    assert statistic == pytest.approx(expected.statistic)
    assert p_value == pytest.approx(expected.pvalue)


def test_dependent_values_weigh_as_much_as_the_independent_ones_that_they_are_worth() -> None:
    reference = np.array([400, 400, 200])

    found = chi_square(np.array([[3_000, 5_000, 2_000], [30, 50, 20]]), reference, effective=100)

    assert found[0][0] == pytest.approx(found[0][1])
    assert found[1][0] == pytest.approx(found[1][1])


def test_one_category_on_both_sides_is_no_shift() -> None:
    statistic, p_value = chi_square(np.array([9, 0]), np.array([5, 0]), effective=9)

    assert (float(statistic), float(p_value)) == (0.0, 1.0)


def test_p_values_are_adjusted_like_benjamini_and_hochberg_do() -> None:
    p_values = [0.01, 0.8, 0.03, 0.02, 0.5]

    assert adjusted_p_values(p_values) == pytest.approx(
        stats.false_discovery_control(p_values).tolist()
    )


def test_one_p_value_stays_as_it_is_and_none_is_none() -> None:
    assert adjusted_p_values([0.03]) == [0.03]
    assert adjusted_p_values([]) == []


def test_categories_that_the_reference_does_not_have_are_a_bin_of_their_own() -> None:
    profile = profiled({"faces": np.repeat([0.0, 1.0, 2.0], [50, 100, 50])}).fact
    assert isinstance(profile, ReferenceProfiled)
    reference = compiled(profile)
    (window,) = windows_of("faces", np.array([0.0, 1.0, 1.0, 7.0, 0.5, -3.0]), per_bucket=6)

    (counts,) = counted([(reference, {"faces": window})])

    assert counts.tolist() == [1, 2, 0, 3]
    assert reference.features[0].counts.tolist() == [50, 100, 50, 0]


def test_windows_are_counted_together_as_each_is_alone() -> None:
    rng = np.random.default_rng(2)
    columns = {
        "luma": rng.normal(0, 5, 900),
        "faces": np.repeat([-2.0, 0.0, 1.0], 300),
        "size": rng.gamma(2.0, 3.0, 900),
    }
    narrow = {"faces": columns["faces"], "luma": columns["luma"]}
    references = [
        compiled(_profile_of(some)) for some in (columns, narrow, {"size": -columns["size"]})
    ]
    drawn = {
        "luma": rng.normal(0, 9, (100, 30)),
        "faces": rng.integers(-4, 4, (100, 30)).astype(float),
        "size": rng.normal(0, 9, (100, 30)),
    }
    rows = {name: windows_of(name, values.ravel(), 30) for name, values in drawn.items()}
    windows = [
        (references[at % 3], {name: rows[name][at] for name in rows if (at + len(name)) % 5})
        for at in range(100)
    ]

    together = list(counted(windows))

    for (reference, metrics), row in zip(windows, together, strict=True):
        (alone,) = counted([(reference, metrics)])
        assert row.tolist() == alone.tolist()
        for feature, place in zip(reference.features, reference.slices, strict=True):
            expected = _plain_counts(feature, metrics.get(feature.name))
            assert row[place].tolist() == expected


def _profile_of(columns: dict[str, Floats]) -> ReferenceProfiled:
    fact = profiled(columns).fact
    assert isinstance(fact, ReferenceProfiled)
    return fact


def _plain_counts(feature: Feature, metric: MetricWindow | None) -> list[int]:
    counts = [0] * len(feature.counts)
    starts = feature.starts.tolist()
    for number, count in zip(metric.bins, metric.counts, strict=True) if metric else ():
        if feature.kind is FeatureKind.NUMERIC:
            counts[sum(start <= number for start in starts)] += count
        else:
            counts[starts.index(number) if number in starts else len(starts)] += count
    return counts


@pytest.mark.parametrize(
    "broken",
    [
        FeatureProfile("f", FeatureKind.NUMERIC, counts=(5, 5), edges=(1.0, 2.0)),
        FeatureProfile("f", FeatureKind.NUMERIC, counts=(5,)),
        FeatureProfile("f", FeatureKind.NUMERIC, counts=(5, 5, 5), edges=(2.0, 1.0)),
        FeatureProfile("f", FeatureKind.NUMERIC, counts=(0, 0), edges=(1.0,)),
        FeatureProfile("f", FeatureKind.NUMERIC, counts=(5, 5), edges=(float("nan"),)),
        FeatureProfile("f", FeatureKind.CATEGORICAL, counts=(5,), categories=("day",)),
        FeatureProfile("f", FeatureKind.CATEGORICAL, counts=(5, 5), categories=("1",)),
        FeatureProfile("f", FeatureKind.UNKNOWN, counts=(5, 5), edges=(1.0,)),
    ],
)
def test_a_feature_that_cannot_be_compared_is_left_out(broken: FeatureProfile) -> None:
    fact = profiled({"good": np.linspace(1, 2, 200)}).fact
    assert isinstance(fact, ReferenceProfiled)

    reference = compiled(
        ReferenceProfiled(
            fact.event_id,
            fact.occurred_at,
            fact.model_id,
            fact.version,
            fact.dataset,
            fact.dataset_sha256,
            fact.rows,
            (broken, *fact.features),
        )
    )

    assert [feature.name for feature in reference.features] == ["good"]
