"""A planted bias of known size is found, and lies inside its interval at least 90 times in 100."""

from collections.abc import Sequence

import numpy as np
import pytest

from modeltrail.processors.ethics.counting import LOTS, ValueTable
from modeltrail.processors.ethics.disparities import (
    DETECTION_DISPARITIES,
    OUTCOME_DISPARITIES,
    disparity,
    disparity_interval,
)
from modeltrail.processors.ethics.fairness import Counted, fairness_of
from modeltrail.processors.ethics.identity import Similarities
from modeltrail.processors.ethics.intervals import bias_corrected
from modeltrail.processors.ethics.measured import LATENCY, measured_report
from modeltrail.processors.ethics.membership import Units, membership_report
from modeltrail.processors.ethics.partitions import Partition
from modeltrail.processors.ethics.rates import rates_of
from modeltrail.schemas.assessment_settings import IntervalSettings

SEEDS = 100
ENOUGH = 90
ROWS = 1_000
SETTINGS = IntervalSettings(resamples=400)
#: True and false positive rates of each group.
PLANTED = {
    "two groups": ((0.8, 0.3), (0.6, 0.15)),
    "four groups, one apart": ((0.8, 0.3), (0.8, 0.3), (0.8, 0.3), (0.65, 0.2)),
    "rare decisions": ((0.3, 0.04), (0.15, 0.02)),
}


def outcome_counts(planted: Sequence[tuple[float, float]], seed: int) -> np.ndarray:
    """Counts of decisions whose rates are planted: shape (1, groups, cells)."""
    chance = np.random.default_rng(seed)
    counts = np.zeros((1, len(planted), 5), np.int64)
    for group, (hit, alarm) in enumerate(planted):
        good = chance.binomial(ROWS, 0.5)
        hits, alarms = chance.binomial(good, hit), chance.binomial(ROWS - good, alarm)
        counts[0, group] = [hits, good - hits, alarms, ROWS - good - alarms, 0]
    return counts


def true_disparities(planted: Sequence[tuple[float, float]]) -> dict[str, float]:
    hits, alarms = zip(*planted, strict=True)
    selected = [(hit + alarm) / 2 for hit, alarm in planted]
    right = [(hit + 1 - alarm) / 2 for hit, alarm in planted]
    return {
        "demographic_parity_difference": max(selected) - min(selected),
        "demographic_parity_ratio": min(selected) / max(selected),
        "equalized_odds_difference": max(max(hits) - min(hits), max(alarms) - min(alarms)),
        "equalized_odds_ratio": min(min(hits) / max(hits), min(alarms) / max(alarms)),
        "accuracy_difference": max(right) - min(right),
    }


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bias_is_found_and_lies_in_its_interval(name: str) -> None:
    planted = PLANTED[name]
    truth = true_disparities(planted)
    inside, found = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
    for seed in range(SEEDS):
        counts = outcome_counts(planted, seed)
        counted = Counted(counts, False, SETTINGS, np.random.default_rng([seed, 1]))
        resampled = counted.resampled()
        for figure, value in truth.items():
            measure = OUTCOME_DISPARITIES[figure]
            low, high = disparity_interval(counts[0], resampled, measure, 0.95)
            assert low is not None
            assert high is not None
            inside[figure] += low <= value <= high
            found[figure] += high < 1 if measure.is_ratio else low > 0
    assert {figure: hits for figure, hits in inside.items() if hits < ENOUGH} == {}
    # Smaller differences than this need more rows than a thousand in each group.
    biased = [
        figure
        for figure, value in truth.items()
        if (value < 0.8 if OUTCOME_DISPARITIES[figure].is_ratio else value > 0.08)
    ]
    assert len(biased) >= 3
    assert {figure: found[figure] for figure in biased if found[figure] < ENOUGH} == {}


def test_rare_decisions_of_small_groups_lie_in_their_intervals() -> None:
    # Given groups of sixty, one of which is often never selected
    planted, rows = (0.03, 0.15), 60
    truth = {"demographic_parity_ratio": 0.2, "demographic_parity_difference": 0.12}
    inside, never = dict.fromkeys(truth, 0), 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        counts = np.zeros((1, 2, 5), np.int64)
        for group, rate in enumerate(planted):
            selected = chance.binomial(rows, rate)
            counts[0, group] = [selected, 0, 0, rows - selected, 0]
        never += not counts[0, 0, 0]
        resampled = Counted(counts, False, SETTINGS, np.random.default_rng(seed)).resampled()
        for figure, value in truth.items():
            measure = OUTCOME_DISPARITIES[figure]
            low, high = disparity_interval(counts[0], resampled, measure, 0.95)
            found = disparity(counts[0], measure)
            assert low is not None
            assert high is not None
            assert found is not None
            assert low <= found <= high
            inside[figure] += low <= value <= high
    assert never > 5
    assert min(inside.values()) >= ENOUGH, inside


def test_faces_that_are_hardly_ever_missed_have_intervals_that_know_their_frames() -> None:
    # Given forty frames of five faces each, of which one group is missed once in a hundred times
    planted, partition = (0.01, 0.08), Partition("skin", ("a", "b"), ((0,), (1,)))
    inside, rate_inside = 0, 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        counts = np.zeros((40, 2, 5), np.int64)
        for frame in range(40):
            group = frame % 2
            mean = planted[group]
            missed = chance.binomial(5, chance.beta(5 * mean, 5 * (1 - mean)))
            counts[frame, group] = [5 - missed, missed, 0, 0, 0]
        counted = Counted(counts, True, SETTINGS, np.random.default_rng(seed), by_lot=True)
        found = fairness_of(counted, [partition]).report["skin"]
        ratio, rate = found["miss_rate_ratio"], found["groups"]["a"]["miss_rate"]
        inside += ratio.value is None or ratio.low <= 0.125 <= ratio.high
        rate_inside += rate.low <= planted[0] <= rate.high
    # Then a group of which none was missed is not thought to be masked for certain
    assert inside >= ENOUGH
    assert rate_inside >= ENOUGH


def test_rates_of_groups_lie_in_their_intervals() -> None:
    planted, inside = ((0.8, 0.3), (0.55, 0.1)), {"selection_rate": 0, "false_positive_rate": 0}
    truth = {"selection_rate": 0.325, "false_positive_rate": 0.1}
    for seed in range(SEEDS):
        counts = outcome_counts(planted, seed)
        resampled = Counted(counts, False, SETTINGS, np.random.default_rng(seed)).resampled()
        for rate, value in truth.items():
            drawn = rates_of(resampled, rate)
            low, high = bias_corrected(rates_of(counts[0], rate), drawn, 0.95)
            inside[rate] += low[1] <= value <= high[1]
    assert min(inside.values()) >= ENOUGH


@pytest.mark.parametrize("by_lot", [False, True])
def test_a_planted_latency_lies_in_its_interval(by_lot: bool) -> None:
    # Lognormal values of mean 20 and 25 ms; with lots, those of a session share half of it.
    partition = Partition("sex", ("f", "m"), ((0,), (1,)))
    inside = {"mean": 0, "ratio": 0}
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        table = ValueTable(by_lot=by_lot)
        groups = np.repeat([0, 1], 400)
        session = np.repeat(chance.lognormal(-0.02, 0.2, 80), 10) if by_lot else 1.0
        values = np.where(groups == 0, 20.0, 25.0) * session * chance.lognormal(-0.02, 0.2, 800)
        table.add(groups, values, np.repeat(np.arange(80), 10) if by_lot else None)
        found = measured_report(
            table, partition, [0, 1], LATENCY, SETTINGS, np.random.default_rng(seed), by_lot=by_lot
        )
        mean, ratio = found["groups"]["m"]["latency_mean_ms"], found["latency_ratio"]
        inside["mean"] += mean.low <= 25.0 <= mean.high
        inside["ratio"] += ratio.low <= 0.8 <= ratio.high
    assert min(inside.values()) >= ENOUGH, inside


def test_no_bias_is_seldom_taken_for_one() -> None:
    planted, alarms = ((0.7, 0.2), (0.7, 0.2), (0.7, 0.2)), 0
    for seed in range(SEEDS):
        counts = outcome_counts(planted, seed)
        resampled = Counted(counts, False, SETTINGS, np.random.default_rng(seed)).resampled()
        measure = OUTCOME_DISPARITIES["demographic_parity_difference"]
        low, _ = disparity_interval(counts[0], resampled, measure, 0.95)
        alarms += (low or 0) > 0
    assert alarms <= SEEDS - ENOUGH


def session_counts(seed: int, sessions: int = 120) -> np.ndarray:
    """Faces of sessions that share their light: shape (sessions, groups, cells)."""
    chance = np.random.default_rng(seed)
    counts = np.zeros((sessions, 2, 5), np.int64)
    for session in range(sessions):
        group = session % 2
        # Beta-distributed miss rates of mean 0.1 and 0.2: rows of a session resemble each other.
        mean = (0.1, 0.2)[group]
        missed = chance.binomial(100, chance.beta(5 * mean, 5 * (1 - mean)))
        counts[session, group] = [100 - missed, missed, 0, 0, 0]
    return counts


def test_misses_that_come_in_sessions_get_intervals_that_know_it() -> None:
    measure = DETECTION_DISPARITIES["miss_rate_difference"]
    inside, naive = 0, 0
    for seed in range(SEEDS):
        counts = session_counts(seed)
        together = counts.sum(axis=0)
        for lots in (True, False):
            given = counts if lots else together[None]
            counted = Counted(given, True, SETTINGS, np.random.default_rng(seed), by_lot=lots)
            low, high = disparity_interval(together, counted.resampled(), measure, 0.95)
            assert low is not None
            assert high is not None
            if lots:
                inside += low <= 0.1 <= high
            else:
                naive += low <= 0.1 <= high
    assert inside >= ENOUGH
    assert naive < inside - 20


def test_the_interval_of_an_attack_holds_its_true_area() -> None:
    # Two normal distributions one standard deviation apart: the area is Phi(1 / sqrt 2).
    inside = 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        report, _ = membership_report(chance.normal(1, 1, 150), chance.normal(0, 1, 200), 0.95)
        inside += report["auc"].low <= 0.7602499 <= report["auc"].high
    assert inside >= ENOUGH


def test_the_interval_of_an_attack_on_sessions_holds_its_true_area() -> None:
    # Sessions of ten rows that share half of the variance; members are one standard deviation up.
    inside, naive = 0, 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        lots = np.repeat(np.arange(80), 10)
        signals = np.repeat(chance.normal(0, 0.5**0.5, 80), 10) + chance.normal(0, 0.5**0.5, 800)
        members, others = signals[:400] + 1, signals[400:]
        for units in (Units(lots[:400], lots[400:]), None):
            found = membership_report(members, others, 0.95, units)[0]["auc"]
            if units is None:
                naive += found.low <= 0.7602499 <= found.high
            else:
                inside += found.low <= 0.7602499 <= found.high
    assert inside >= ENOUGH
    assert naive < inside - 20


@pytest.mark.parametrize("by_unit", [False, True])
def test_the_interval_of_re_identification_holds_its_true_rate(by_unit: bool) -> None:
    inside = 0
    for seed in range(SEEDS):
        chance = np.random.default_rng(seed)
        lots = LOTS if by_unit else 1
        similarities = Similarities(0.5, lots)
        units = np.repeat(np.arange(200), 20) if by_unit else None
        # Of a unit all faces are found or none, so 200 units say what 200 faces would.
        reached = chance.random(200) < 0.1 if by_unit else chance.random(4000) < 0.1
        values = np.repeat(reached, 20) if by_unit else reached
        similarities.add(values.astype(float), units)
        figure = similarities.report(0.95)["reidentification_rate"]
        inside += figure.low <= 0.1 <= figure.high
    assert inside >= ENOUGH


def test_a_rate_of_nothing_is_no_rate() -> None:
    counts = np.array([[10, 5, 0, 0, 0], [8, 3, 4, 6, 0]])
    assert disparity(counts, OUTCOME_DISPARITIES["equalized_odds_difference"]) is None
    assert disparity(counts, OUTCOME_DISPARITIES["demographic_parity_difference"]) is not None
