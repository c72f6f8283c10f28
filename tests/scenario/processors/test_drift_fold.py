"""A drift fold measures final windows against the profile in force, and is exact after a replay."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from modeltrail.processors.drift.fold import DriftFold
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.columns import longs
from modeltrail.schemas.events import (
    ChangePointDetected,
    DriftMeasured,
    DriftPolicySet,
    Fact,
    FeatureDrift,
    MetricWindow,
    ReferenceProfiled,
    Severity,
    WindowClosed,
)
from modeltrail.schemas.ids import Micros, new_event_id
from tests.scenario.processors.drift_streams import (
    BEGIN_US,
    BUCKET_US,
    MODEL,
    PER_BUCKET,
    PROFILE_ID,
    Floats,
    Process,
    closed,
    decided,
    fold_all,
    log_of,
    profiled,
    windows_of,
)

LUMA = Process(0.0)
MINUTE_US = 60_000_000
Buckets = list[tuple[MetricWindow, ...]]


def _values(buckets: int, seed: int = 0, shift: float = 0.0) -> Floats:
    values = LUMA.sample(np.random.default_rng(seed), buckets * PER_BUCKET)
    return values + shift * LUMA.deviation


def _buckets(values: Floats, name: str = "luma_mean") -> Buckets:
    return [(metric,) for metric in windows_of(name, values)]


def _policy(at_us: int = BEGIN_US - BUCKET_US, offset: int = 0, **changes: object) -> Appended:
    fact = DriftPolicySet(new_event_id(), Micros(at_us), MODEL, Severity.WARNING)
    return Appended(0, offset, at_us // 1000, replace(fact, **changes))  # type: ignore[arg-type]


def _fold(*control: Appended) -> DriftFold:
    fold = DriftFold(0)
    for record in control or (profiled({"luma_mean": _values(400, seed=9)}),):
        assert fold.absorb(record) == ()
    return fold


def _measured(facts: Sequence[Fact]) -> list[DriftMeasured]:
    return [fact for fact in facts if isinstance(fact, DriftMeasured)]


def _own(facts: Sequence[Fact]) -> list[DriftMeasured | ChangePointDetected]:
    return [fact for fact in facts if isinstance(fact, DriftMeasured | ChangePointDetected)]


def _only(fact: DriftMeasured) -> FeatureDrift:
    (feature,) = fact.features
    return feature


def test_without_any_policy_a_profile_is_enough_to_measure_every_minute() -> None:
    found = _measured(fold_all(_fold(), log_of(_buckets(_values(60)))))

    assert [fact.end for fact in found] == [BEGIN_US + n * MINUTE_US for n in range(1, 11)]
    assert {fact.window for fact in found} == {"1m"}
    assert {fact.profile_id for fact in found} == {PROFILE_ID}
    assert not any(_only(fact).drifted for fact in found)
    assert _only(found[-1]).samples == 6 * PER_BUCKET
    assert _only(found[-1]).effective_samples > 100


def test_a_shift_drifts_and_its_streak_grows_until_it_is_gone() -> None:
    values = np.concatenate([_values(60), _values(24, 1, shift=1.0), _values(12, 2)])

    found = _measured(fold_all(_fold(), log_of(_buckets(values))))

    assert [_only(fact).streak for fact in found[10:]] == [1, 2, 3, 4, 0, 0]
    worst = _only(found[13])
    assert 0.7 < worst.psi < 1.2
    assert 0.3 < worst.js < 0.5
    assert 0.3 < worst.statistic < 0.45
    assert worst.adjusted_p_value < 1e-6


def test_without_a_profile_nothing_is_measured() -> None:
    assert fold_all(_fold(_policy()), log_of(_buckets(_values(30)))) == []


def test_a_bucket_is_judged_once_the_decision_after_it_is_there() -> None:
    fold = _fold()
    facts = list(log_of(_buckets(_values(36))))

    assert len(_measured(fold_all(fold, facts[:-1]))) == 5
    assert len(_measured(fold_all(fold, facts[-1:], offset=99))) == 1


def test_the_final_window_replaces_the_decided_one() -> None:
    buckets = _buckets(_values(36))
    ends = list(log_of(buckets))
    late = closed(35, *windows_of("luma_mean", _values(1, 5)[:200], 200), final=True)
    lost = replace(
        buckets[35][0], count=10, bins=longs(buckets[35][0].bins[:1]), counts=longs([10])
    )

    # Bucket 35 as decided, its decision, its final, the next decision.
    with_final = [*ends[:-3], closed(35, lost), ends[-2], late, ends[-1]]
    found = _measured(fold_all(_fold(), with_final))

    assert _only(found[-1]).samples == 5 * PER_BUCKET + 200


def test_what_comes_twice_or_too_late_changes_nothing() -> None:
    buckets = _buckets(_values(60))
    plain = list(log_of(buckets))
    repeated = [
        copy for fact in plain for copy in (fact, fact) if not isinstance(fact, DriftMeasured)
    ]
    strays = [*repeated[:80], closed(3), decided(3), *repeated[80:]]

    assert _measured(fold_all(_fold(), strays)) == _measured(fold_all(_fold(), plain))


def test_a_decided_window_that_comes_again_does_not_replace_the_final_one() -> None:
    final = closed(0, *windows_of("luma_mean", _values(1)), final=True)
    again = closed(0, *windows_of("luma_mean", _values(1, 8)[:10], 10))
    later = list(log_of(_buckets(_values(35, 1)), first=1))

    found = _measured(fold_all(_fold(), [final, decided(0), again, *later]))

    assert _only(found[0]).samples == 6 * PER_BUCKET


def test_a_policy_chooses_window_features_and_threshold_and_can_switch_off() -> None:
    names = ("luma_mean", "face_size")
    reference = profiled({name: _values(400, seed=9) for name in names})
    both = [
        (*one, *other)
        for one, other in zip(
            _buckets(_values(360, 1, shift=1.0)),
            _buckets(_values(360, 2, shift=1.0), "face_size"),
            strict=True,
        )
    ]

    usual = _measured(fold_all(_fold(reference), log_of(both)))
    policy = _policy(window="5m", features=("face_size",), psi_threshold=5.0)
    chosen = _measured(fold_all(_fold(reference, policy), log_of(both)))
    none = _measured(fold_all(_fold(reference, _policy(enabled=False)), log_of(both)))

    assert len(usual) == 60
    assert {feature.name for fact in usual for feature in fact.features} == set(names)
    assert usual[-1].features[0].streak > 50
    assert [(fact.window, fact.end - fact.start) for fact in chosen] == [("5m", 5 * MINUTE_US)] * 12
    assert [feature.name for feature in chosen[-1].features] == ["face_size"]
    assert chosen[-1].features[0].adjusted_p_value < 1e-6
    assert not any(_only(fact).drifted for fact in chosen)
    assert none == []


def test_a_policy_holds_for_windows_that_end_after_it_was_appended() -> None:
    at_us = BEGIN_US + 5 * MINUTE_US

    found = _measured(
        fold_all(
            _fold(profiled({"luma_mean": _values(400, seed=9)}), _policy(at_us, enabled=False)),
            log_of(_buckets(_values(60))),
        )
    )

    assert [fact.end for fact in found] == [BEGIN_US + n * MINUTE_US for n in range(1, 6)]


def test_a_new_profile_begins_anew_with_the_windows_after_it() -> None:
    other = profiled({"luma_mean": _values(400, seed=4, shift=1.0)}, BEGIN_US + 10 * MINUTE_US)
    assert isinstance(other.fact, ReferenceProfiled)
    other = replace(other, offset=1, fact=replace(other.fact, event_id=new_event_id()))

    found = _measured(
        fold_all(
            _fold(profiled({"luma_mean": _values(400, seed=9)}), other),
            log_of(_buckets(_values(120, 1, shift=1.0))),
        )
    )

    assert _only(found[9]).streak >= 6
    assert {fact.profile_id for fact in found[10:]} == {other.fact.event_id}
    # Only what was counted over its bins tells how much the values are worth.
    assert _only(found[10]).effective_samples < _only(found[-1]).effective_samples
    assert not any(_only(fact).drifted for fact in found[10:])


def test_strongly_dependent_values_are_judged_over_as_many_windows_as_it_takes() -> None:
    slow = Process(0.98)
    rng = np.random.default_rng(6)
    fold = _fold(profiled({"luma_mean": slow.sample(rng, 90_000)}))
    values = slow.sample(rng, 360 * PER_BUCKET)

    last = _only(_measured(fold_all(fold, log_of(_buckets(values))))[-1])

    assert 4 * 1_500 <= last.samples <= 16 * 1_500
    assert 100 <= last.effective_samples <= 130


def test_what_is_not_worth_enough_within_an_hour_is_measured_but_is_no_drift() -> None:
    fold = _fold(
        profiled({"luma_mean": _values(400, seed=9)}), _policy(minimum_effective_samples=10**6)
    )

    found = _measured(fold_all(fold, log_of(_buckets(_values(120, 1, shift=1.0)))))

    assert _only(found[-1]).psi > 0.7
    assert not any(_only(fact).drifted for fact in found)


def test_in_the_first_minutes_a_strong_shift_is_found_by_a_policy_for_short_windows() -> None:
    dimmed = np.concatenate([_values(4), 0.4 * _values(5, 1)])
    reference = profiled({"luma_mean": _values(2, seed=9)})
    policy = _policy(window="10s", minimum_effective_samples=5, persistence=2)

    found = _measured(fold_all(_fold(reference, policy), log_of(_buckets(dimmed))))

    assert [_only(fact).effective_samples > 0 for fact in found] == [False] * 5 + [True] * 4
    assert [_only(fact).streak for fact in found[-4:]] == [1, 2, 3, 4]


def test_a_window_without_values_is_no_window_and_breaks_no_streak() -> None:
    buckets = _buckets(_values(90, 1, shift=1.0))
    silent: Buckets = [*buckets[:60], *[()] * 6, *buckets[66:72]]

    found = _measured(fold_all(_fold(), log_of(silent)))

    assert [fact.end - BEGIN_US for fact in found[-2:]] == [10 * MINUTE_US, 12 * MINUTE_US]
    assert _only(found[-1]).streak == _only(found[-2]).streak + 1


def test_arms_are_measured_apart() -> None:
    facts: list[Fact] = []
    for bucket, (metrics, shifted) in enumerate(
        zip(_buckets(_values(60)), _buckets(_values(60, 1, shift=1.0)), strict=True)
    ):
        facts += [closed(bucket, *metrics), closed(bucket, *shifted, arm="candidate")]
        facts += [decided(bucket)]

    found = _measured(fold_all(_fold(), facts))

    last = {fact.arm: _only(fact) for fact in found}
    assert not last["champion"].drifted
    assert last["candidate"].streak >= 4
    assert len({fact.event_id for fact in found}) == len(found)


@pytest.mark.parametrize("window", ["1m", "1h"])
def test_after_a_replay_that_begins_in_the_middle_the_same_facts_follow(window: str) -> None:
    rng = np.random.default_rng(8)
    slow = Process(0.98)
    values = slow.sample(rng, 8 * 360 * PER_BUCKET)
    values[5 * 360 * PER_BUCKET :] += slow.deviation
    accuracy = rng.normal(0.9, 0.02, (8 * 360, 20))
    accuracy[5 * 360 + 77 :] -= 0.2
    buckets = [
        (*metrics, *windows_of("accuracy", means, 20))
        for metrics, means in zip(_buckets(values), accuracy, strict=True)
    ]
    control = profiled({"luma_mean": slow.sample(rng, 90_000)}), _policy(window=window)
    live = _fold(*control)
    log: list[Fact] = []
    for fact in log_of(buckets):
        log.append(fact)
        log += live.absorb(Appended(0, len(log) - 1, BEGIN_US // 1000, fact))
    own = _own(log)
    assert any(feature.drifted for fact in _measured(own) for feature in fact.features)
    assert any(isinstance(fact, ChangePointDetected) for fact in own)

    for minutes in (190, 197):
        begin = len(log) * (8 * 60 - minutes) // (8 * 60)
        replayed = _fold(*control)
        again: list[Fact] = []
        for offset, fact in enumerate(log[begin:], begin):
            again += replayed.absorb(Appended(0, offset, BEGIN_US // 1000, fact))

        known_from = BEGIN_US + (8 * 60 - minutes + 121) * MINUTE_US
        expected = [fact for fact in own if fact.end >= known_from]
        assert len(expected) >= 1
        assert [fact for fact in _own(again) if fact.end >= known_from] == expected
        assert {fact.event_id for fact in again} <= {fact.event_id for fact in own}


def test_windows_of_other_lengths_are_passed_over() -> None:
    fold = _fold()
    minute = replace(closed(0, *windows_of("luma_mean", _values(1))), window="1m")
    assert isinstance(minute, WindowClosed)

    assert fold_all(fold, [minute, *[decided(bucket) for bucket in range(30)]]) == []
