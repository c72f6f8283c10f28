"""What one partition says of its measurements, and when: time is what the log shows."""

import math

import numpy as np
import pytest

from modeltrail.schemas.events import (
    Direction,
    Fact,
    InferenceMeasured,
    MeasurementSampled,
    MetricPartial,
    PartialWindow,
    PartialWindows,
    PartitionAdvanced,
    RecentMeasured,
    RecentMeasurements,
    ValueBreached,
    WindowsDecided,
)
from modeltrail.schemas.ids import Micros, derived_event_id
from modeltrail.schemas.measures import COUNTS, MEASURES
from modeltrail.schemas.sketch import bins_of, mean_of
from tests.unit.processors.inference_log import (
    CODEC,
    MODEL,
    PARTITION,
    PARTITIONS,
    VERSION,
    absorb,
    append,
    declared,
    folded,
    marked,
    measured,
    ms,
    new_fold,
    only,
    set_rules,
    truth,
    us,
    value_rule,
)


def partials(facts: list[Fact]) -> list[tuple[float, bool, int]]:
    """(second of the start, final, measurements) of each partial."""
    return [
        ((each.start - us(0)) / 1e6, each.final, each.measurements)
        for each in only(PartialWindow, facts)
    ]


def metric(facts: list[Fact], name: str) -> MetricPartial:
    """A metric of the first partial."""
    return {each.name: each for each in only(PartialWindow, facts)[0].metrics}[name]


def advances(facts: list[Fact]) -> list[PartitionAdvanced]:
    """Those to partition 0."""
    return [each for each in only(PartitionAdvanced, facts) if each.partition == 0]


class TestTime:
    def test_a_bucket_is_decided_once_a_record_shows_that_a_second_has_passed(self) -> None:
        fold = new_fold()

        assert absorb(fold, [measured(2), measured(9.5), marked(11)]) == []
        assert partials(absorb(fold, [marked(11.001)], 3)) == [(0, False, 2)]

    def test_what_is_appended_within_the_second_is_part_of_the_decision(self) -> None:
        facts = folded([measured(9.9, 11.0), measured(9.9, 11.001), marked(12)])

        assert partials(facts) == [(0, False, 1)]

    def test_what_comes_after_the_decision_is_told_ten_seconds_later(self) -> None:
        facts = folded([measured(5), measured(6, 12), marked(21), marked(21.1)])

        assert partials(facts) == [(0, False, 1), (0, True, 2)]

    def test_a_bucket_that_nobody_changed_is_told_once(self) -> None:
        assert partials(folded([measured(5), marked(40)])) == [(0, False, 1)]

    def test_only_the_series_that_changed_are_told_again(self) -> None:
        facts = folded([measured(5), measured(5, arm="candidate"), measured(6, 12), marked(40)])

        assert [(each.arm, each.final) for each in only(PartialWindow, facts)] == [
            ("candidate", False),
            ("champion", False),
            ("champion", True),
        ]

    def test_a_series_that_begins_late_is_told_as_final_only(self) -> None:
        assert partials(folded([measured(6, 12), marked(40)])) == [(0, True, 1)]

    def test_a_measurement_of_more_than_ten_seconds_ago_is_late(self) -> None:
        facts = folded([measured(5, 15), measured(5, 15.001), marked(40)])

        assert partials(facts) == [(0, True, 1)]
        assert [(each.measurements, each.late) for each in advances(facts)[:1]] == [(1, 1)]

    def test_a_measurement_of_the_future_waits_for_its_bucket(self) -> None:
        facts = folded([measured(18, 8), measured(18.001, 8), marked(40)])

        assert partials(facts) == [(10, False, 1)]
        assert advances(facts)[0].refused == 1

    def test_a_broker_whose_clock_falls_back_does_not_turn_time_back(self) -> None:
        facts = folded([measured(5), marked(13), measured(13, 9), marked(40)])

        assert partials(facts) == [(0, False, 1), (10, False, 1)]

    def test_every_partition_hears_that_time_has_advanced_after_all_else(self) -> None:
        facts = folded([measured(5), marked(12)])

        assert [type(fact) for fact in facts] == [
            PartialWindows,
            RecentMeasurements,
            *[PartitionAdvanced] * PARTITIONS,
        ]
        assert [
            (each.partition, each.source_partition, each.source_partitions, each.advanced_to)
            for each in only(PartitionAdvanced, facts)
        ] == [(0, PARTITION, PARTITIONS, us(11)), (1, PARTITION, PARTITIONS, us(11))]

    def test_of_a_long_silence_only_its_end_is_told(self) -> None:
        facts = folded([measured(5), marked(10_000)])

        assert [(each.advanced_to - us(0)) / 1e6 for each in advances(facts)] == [11, 9991]

    def test_without_a_fetch_nothing_follows(self) -> None:
        assert absorb(new_fold(), []) == []


class TestNumbers:
    def test_every_measure_of_a_measurement_is_a_metric(self) -> None:
        values = dict.fromkeys(MEASURES, 3.0) | dict.fromkeys(COUNTS, 2)
        facts = folded([measured(5, **values), marked(12)])

        assert [
            (each.name, each.count, each.min, each.max)
            for each in only(PartialWindow, facts)[0].metrics
        ] == [(name, 1, values[name], values[name]) for name in sorted(values)]

    def test_measures_are_all_that_a_measurement_may_have(self) -> None:
        hints = InferenceMeasured.__annotations__

        assert set(MEASURES) == {name for name in hints if "None" in str(hints[name])}

    def test_a_partial_holds_integers_that_give_the_mean(self) -> None:
        facts = folded(
            [measured(5, latency_ms=value, frame=n) for n, value in enumerate((0.25, 40.0, 41.0))]
            + [marked(12)]
        )
        latency = metric(facts, "latency_ms")

        assert latency.count == 3
        assert (latency.sum_whole, latency.sum_fraction) == (81, 1 << 38)
        assert mean_of(3, latency.sum_whole, latency.sum_fraction) == pytest.approx(27.08333)
        assert (latency.min, latency.max) == (0.25, 41.0)
        assert sum(latency.counts) == 3

    def test_bins_rise_and_count_equal_values_once(self) -> None:
        values = [5.0, -3.0, 0.0, 5.0, -0.0]
        facts = folded(
            [measured(5, latency_ms=value, frame=n) for n, value in enumerate(values)]
            + [marked(12)]
        )
        latency = metric(facts, "latency_ms")

        assert latency.counts.tolist() == [1, 2, 2]
        assert list(latency.bins) == sorted(set(bins_of(np.array(values)).tolist()))

    def test_a_zero_has_no_sign(self) -> None:
        facts = folded([measured(5, latency_ms=-0.0), marked(12)])

        assert math.copysign(1, metric(facts, "latency_ms").min) == 1

    def test_a_value_out_of_range_is_counted_and_in_no_window(self) -> None:
        facts = folded([measured(5, latency_ms=2.0**42, fps=1.0), marked(12)])

        assert [each.name for each in only(PartialWindow, facts)[0].metrics] == ["fps"]
        assert [each.name for each in only(RecentMeasured, facts)[0].metrics] == ["fps"]
        assert advances(facts)[0].out_of_range == 1

    def test_a_measurement_without_measures_still_counts(self) -> None:
        facts = folded([measured(5), marked(12)])

        assert partials(facts) == [(0, False, 1)]
        assert only(PartialWindow, facts)[0].metrics == ()


class TestAdmission:
    def test_what_is_no_measurement_is_refused_and_counted(self) -> None:
        stranger = WindowsDecided(derived_event_id("x"), 0, Micros(0))
        facts = folded(
            [
                append(2, b"\x00nonsense"),
                append(2, None),
                append(2, stranger),
                measured(2, latency_ms=math.nan),
                measured(2, node_id=""),
                truth(2, nonsense=math.inf),
                measured(2),
                marked(12),
            ]
        )

        assert (advances(facts)[0].refused, advances(facts)[0].measurements) == (6, 1)

    @pytest.mark.parametrize("label", ["environment", "arm"])
    def test_a_measurement_whose_environment_or_arm_is_too_long_is_refused_and_counted(
        self, label: str
    ) -> None:
        facts = folded([measured(2, **{label: "x" * 600_000}), measured(2), marked(12)])

        assert (advances(facts)[0].refused, advances(facts)[0].measurements) == (1, 1)
        assert max(len(CODEC.encode(fact)) for fact in facts) < 10_000

    def test_an_extra_metric_counts_from_its_declaration_on(self) -> None:
        extra = {"extra_names": ("queue", "blur"), "extra_values": (7.0, 0.5)}
        facts = folded(
            [measured(4, **extra), measured(5, frame=1, **extra), measured(6), marked(12)],
            declared(5, "queue", "blur"),
        )

        assert [each.name for each in only(PartialWindow, facts)[0].metrics] == ["blur", "queue"]
        assert metric(facts, "queue").count == 1
        assert (advances(facts)[0].refused, advances(facts)[0].measurements) == (1, 2)

    def test_time_that_was_marked_is_neither_a_measurement_nor_refused(self) -> None:
        step = advances(folded([marked(5), marked(12)]))[0]

        assert (step.measurements, step.refused) == (0, 0)


class TestNewest:
    def test_the_newest_thousand_of_a_step_are_told_with_their_place(self) -> None:
        facts = folded([measured(n / 1000, frame=n, latency_ms=float(n)) for n in range(1200)])

        # Second 1 ends a step, which holds 0 to 1.000.
        recent = only(RecentMeasured, facts)[0]
        assert recent.advanced_to == us(1)
        assert recent.offsets.tolist() == list(range(1, 1001))
        assert recent.appended_ms.tolist() == [ms(n / 1000) for n in range(1, 1001)]
        assert recent.metrics[0].values.tolist() == [float(n) for n in range(1, 1001)]

    def test_a_value_that_a_measurement_lacks_is_nan(self) -> None:
        extra = {"extra_names": ("queue",), "extra_values": (7.0,)}
        facts = folded(
            [measured(5, fps=1.0), measured(6, frame=1, **extra), marked(12)],
            declared(0, "queue"),
        )
        values = {each.name: each.values for each in only(RecentMeasured, facts)[0].metrics}

        assert [[math.isnan(value) for value in values[name]] for name in ("fps", "queue")] == [
            [False, True],
            [True, False],
        ]

    def test_late_measurements_are_not_among_them(self) -> None:
        assert only(RecentMeasured, folded([measured(1, 30), marked(60)])) == []


class TestValueRules:
    def test_the_first_breach_of_a_step_is_told_at_once(self) -> None:
        rules = set_rules(-10, value_rule("latency_ms", 50))
        breaches = only(
            ValueBreached,
            folded(
                [
                    measured(5, latency_ms=50.0),
                    measured(6, latency_ms=51.0, frame=1),
                    measured(7, latency_ms=52.0, frame=2),
                    measured(12, latency_ms=53.0, frame=3),
                ],
                rules,
            ),
        )

        assert [(each.frame, each.value, each.source_offset) for each in breaches] == [
            (1, 51.0, 1),
            (3, 53.0, 3),
        ]
        assert breaches[0].rule == "latency_ms_rule"
        assert (breaches[0].appended_at, breaches[0].captured_at) == (us(6), us(6))
        assert breaches[0].node_id == "gate-1"

    def test_a_rule_holds_for_what_is_appended_more_than_two_seconds_later(self) -> None:
        rules = set_rules(3, value_rule("latency_ms", 50))
        facts = folded(
            [
                measured(5, latency_ms=60.0),
                measured(5.001, latency_ms=61.0, frame=1),
            ],
            rules,
        )

        assert [each.frame for each in only(ValueBreached, facts)] == [1]

    def test_a_rule_that_was_replaced_judges_no_more(self) -> None:
        facts = folded(
            [measured(5, latency_ms=60.0), measured(9, fps=60.0, frame=1)],
            set_rules(0, value_rule("latency_ms", 50), value_rule("fps", 70)),
            set_rules(6, value_rule("fps", 50)),
        )

        assert [(each.rule, each.frame) for each in only(ValueBreached, facts)] == [
            ("latency_ms_rule", 0),
            ("fps_rule", 1),
        ]

    def test_a_rule_looks_at_its_direction_model_and_environment(self) -> None:
        below = value_rule("fps", 25, direction=Direction.BELOW)
        facts = folded(
            [
                measured(5, fps=24.0),
                measured(5, fps=26.0, frame=1),
                measured(5, fps=24.0, frame=2, environment="staging"),
                measured(5, fps=24.0, frame=3, model_id="other"),
            ],
            set_rules(0, below, value_rule("fps", 25.5, name="fast", environment="staging")),
            set_rules(0, value_rule("fps", 30, name="fps_rule"), model="other"),
        )

        assert [(each.rule, each.frame) for each in only(ValueBreached, facts)] == [
            ("fps_rule", 0),
            ("fps_rule", 2),
        ]

    def test_several_rules_on_one_metric_are_each_told(self) -> None:
        rules = [value_rule("fps", limit, name=f"over {limit}") for limit in (10, 20, 30)]
        facts = folded([measured(5, fps=25.0)], set_rules(0, *rules))

        assert {each.rule for each in only(ValueBreached, facts)} == {"over 10", "over 20"}

    def test_series_that_come_later_are_judged_by_their_own_rules(self) -> None:
        fold = new_fold(
            set_rules(0, value_rule("fps", 50)),
            set_rules(0, value_rule("fps", 60, name="high"), value_rule("fps", 9), model="late"),
            set_rules(0, value_rule("latency_ms", 5), model="later"),
        )
        fetches = [
            [measured(5, fps=51.0)],
            [measured(6, frame=1, fps=61.0, model_id="late"), measured(6, frame=2, fps=52.0)],
            [
                measured(7, frame=3, fps=61.0, latency_ms=6.0, model_id="later"),
                measured(7, frame=4, fps=62.0, latency_ms=6.0, model_id="late"),
            ],
        ]
        breaches = [
            (each.model_id, each.rule, each.frame)
            for offset, records in zip((0, 1, 3), fetches, strict=True)
            for each in only(ValueBreached, absorb(fold, records, offset))
        ]

        assert sorted(breaches) == [
            (MODEL, "fps_rule", 0),
            ("late", "fps_rule", 1),
            ("late", "high", 1),
            ("later", "fps_rule", 3),
            ("later", "latency_ms_rule", 3),
        ]

    def test_an_extra_metric_can_be_judged(self) -> None:
        facts = folded(
            [
                measured(5, extra_names=("queue",), extra_values=(4.0,)),
                measured(6, frame=1, extra_names=("queue",), extra_values=(9.0,)),
            ],
            declared(0, "queue"),
            set_rules(0, value_rule("queue", 5)),
        )

        assert [(each.frame, each.value) for each in only(ValueBreached, facts)] == [(1, 9.0)]

    def test_a_late_measurement_breaks_no_rule(self) -> None:
        facts = folded([measured(5, 30, latency_ms=60.0)], set_rules(0, value_rule("fps", 50)))

        assert only(ValueBreached, facts) == []


class TestGroundTruth:
    def test_a_share_of_the_measurements_is_sampled_by_their_id(self) -> None:
        records = [
            measured(5, frame=n, event_id=bytes([n, 0]) + bytes(14)) for n in (0, 127, 128, 255)
        ]

        sampled = only(MeasurementSampled, folded(records, rate=0.5))

        assert [each.frame for each in sampled] == [0, 127]

    def test_a_sample_holds_what_was_measured(self) -> None:
        extra = {"extra_names": ("queue",), "extra_values": (4.0,)}
        sampled = only(
            MeasurementSampled,
            folded([measured(5, frame=7, faces=2, **extra)], declared(0, "queue"), rate=1.0),
        )

        assert [(each.frame, each.names, each.values) for each in sampled] == [
            (7, ("faces", "queue"), (2.0, 4.0))
        ]
        assert (sampled[0].model_id, sampled[0].version) == (MODEL, VERSION)
        assert sampled[0].captured_at == us(5)

    @pytest.mark.parametrize(
        ("really", "accuracy", "error"),
        [
            ({"faces": 2.0}, 1.0, 0.0),
            ({"faces": 3.0}, 0.0, 1.0),
            ({"detection_score": 0.525}, 1.0, 0.025),
            ({"detection_score": 0.53}, 0.0, 0.03),
            ({"faces": 2.0, "detection_score": 0.6}, 0.0, 0.05),
            ({"faces": 2.0, "luma_mean": 10.0}, 0.0, 0.0),
        ],
    )
    def test_a_truth_tells_accuracy_and_error_of_its_sample(
        self, really: dict[str, float], accuracy: float, error: float
    ) -> None:
        facts = folded(
            [measured(5, faces=2, detection_score=0.5), truth(15, **really), marked(40)], rate=1.0
        )
        judged = only(PartialWindow, facts)[1]

        assert (judged.start, judged.measurements, judged.arm) == (us(10), 0, "champion")
        assert [each.name for each in judged.metrics] == ["accuracy", "error"]
        assert judged.metrics[0].max == accuracy
        assert judged.metrics[1].max == pytest.approx(error)
        assert sum(each.truths for each in advances(facts)) == 1

    @pytest.mark.parametrize("really", [{"luma_mean": 1.0}, {}])
    def test_a_truth_about_nothing_that_was_measured_is_unmatched(
        self, really: dict[str, float]
    ) -> None:
        facts = folded([measured(5, faces=2), truth(6, **really), marked(40)], rate=1.0)

        assert advances(facts)[0].unmatched_truths == 1

    def test_a_truth_without_a_sample_is_unmatched(self) -> None:
        facts = folded([truth(4, faces=2.0), measured(5, faces=2), marked(40)], rate=1.0)

        assert (advances(facts)[0].truths, advances(facts)[0].unmatched_truths) == (0, 1)

    def test_the_oldest_sample_makes_room_and_is_counted_if_it_never_met_its_truth(self) -> None:
        facts = folded(
            [
                measured(1, frame=1, faces=1),
                truth(2, frame=1, faces=1.0),
                measured(3, frame=2, faces=1),
                measured(4, frame=3, faces=1),
                measured(5, frame=4, faces=1),
                truth(6, frame=2, faces=1.0),
                truth(6, frame=3, faces=1.0),
                marked(40),
            ],
            rate=1.0,
            capacity=2,
        )

        steps = advances(facts)
        assert sum(each.evicted_samples for each in steps) == 1
        assert (sum(each.truths for each in steps), sum(e.unmatched_truths for e in steps)) == (
            2,
            1,
        )

    def test_a_rule_can_look_at_accuracy(self) -> None:
        facts = folded(
            [measured(5, frame=7, faces=2), truth(15, frame=7, faces=3.0)],
            set_rules(0, value_rule("accuracy", 0.5, direction=Direction.BELOW)),
            rate=1.0,
        )

        assert [
            (each.metric, each.frame, each.source_offset) for each in only(ValueBreached, facts)
        ] == [("accuracy", 7, 1)]

    def test_a_late_measurement_is_not_sampled(self) -> None:
        assert only(MeasurementSampled, folded([measured(5, 30, faces=2)], rate=1.0)) == []


class TestBeginningAgain:
    def test_a_fold_starts_again_far_enough_back_for_the_next_cut(self) -> None:
        fold = new_fold()
        absorb(fold, [measured(second) for second in range(100)])

        # The last cut is that of second 91, and the next one depends on 31 s before it.
        assert fold.resume_from() == 70

    def test_a_partition_that_was_silent_is_read_from_before_its_silence(self) -> None:
        fold = new_fold()
        absorb(fold, [measured(5), measured(6), marked(10_000)])

        assert fold.resume_from() == 1

    def test_what_was_not_read_completely_is_not_told_again(self) -> None:
        fold = new_fold(from_beginning=False)
        records = [measured(second) for second in range(70, 140)]

        starts = {each[0] for each in partials(absorb(fold, records, 70))}

        assert starts == {90, 100, 110, 120}

    def test_series_are_the_same_in_a_fetch_of_few_rows_and_of_many(self) -> None:
        fold = new_fold()
        records = [
            measured(n / 1000, frame=n, model_id=f"model-{n % 7}", arm=f"arm-{n % 3}")
            for n in range(2_400)
        ]

        facts = absorb(fold, records[:5])
        facts += absorb(fold, records[5:2_000], 5)
        facts += absorb(fold, [*records[2_000:], marked(12)], 2_000)

        held = only(PartialWindow, facts)
        assert len(held) == len({(each.model_id, each.arm) for each in held}) == 21
        assert [each.measurements for each in held] == [
            sum(
                (f"model-{n % 7}", f"arm-{n % 3}") == (each.model_id, each.arm)
                for n in range(2_400)
            )
            for each in held
        ]

    def test_offsets_that_come_again_are_passed_over(self) -> None:
        fold = new_fold()
        absorb(fold, [measured(1), measured(2), measured(3)])

        facts = absorb(fold, [measured(2), measured(3), measured(4), marked(12)], 1)

        assert partials(facts) == [(0, False, 4)]
