"""Reports how groups compare in all that was counted: decisions or detections, latency, masks."""

import numpy as np

from modeltrail.processors.ethics.counting import FN, FP, TP
from modeltrail.processors.ethics.fairness import Counted, Fairness, fairness_of, surest
from modeltrail.processors.ethics.figures import Figure
from modeltrail.processors.ethics.measured import COVERAGE, LATENCY, measured_of_all
from modeltrail.processors.ethics.partitions import (
    MOST_GROUPS_WITH_PAIRS,
    Partition,
    lacks_pairs,
)
from modeltrail.processors.ethics.passing import DataPass
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.assessment_settings import AssessmentSettings
from modeltrail.schemas.events import AssessmentRefusal

_DIFFERENCES = (
    "demographic_parity_difference",
    "equalized_odds_difference",
    "miss_rate_difference",
)
_RATIOS = ("demographic_parity_ratio",)


def equity_of(
    settings: AssessmentSettings, passed: DataPass, chance: np.random.Generator
) -> Fairness:
    """The areas fairness, bias, latency and coverage of a report, as far as they are asked for.

    Raises:
        Refused: only fairness was asked for, and there is one group or one class.
    """
    if not settings.sensitive:
        return Fairness(
            not_judged=[
                "fairness: the settings name no sensitive attribute: name columns of group labels"
            ]
        )
    partitions = passed.partitions()
    counted = _fairness(settings, passed, partitions, chance)
    found = Fairness({"fairness": counted.report}, counted.not_judged)
    if lacks_pairs(len(settings.sensitive), partitions):
        found.not_judged.append(
            f"fairness: attributes in pairs, as there are more than {MOST_GROUPS_WITH_PAIRS} "
            "groups with them: name fewer attributes, or cut numbers into fewer ranges"
        )
    bias: dict[str, Figure] = {}
    for measure, names, lowest in (
        ("bias_score", _DIFFERENCES, False),
        ("overall_fairness", _RATIOS, True),
    ):
        figure = surest(counted.report, names, lowest=lowest)
        if figure is not None:
            name = "score" if measure == "bias_score" else measure
            bias[name] = Figure(
                measure, figure.value, figure.n, figure.low, figure.high, figure.note
            )
    if bias:
        found.report["bias"] = bias
    masked = settings.detection.coverage if settings.detection else ""
    for area, asked, table, measure_of in (
        ("latency", settings.latency, passed.latencies, LATENCY),
        ("coverage", masked, passed.coverages, COVERAGE),
    ):
        if asked:
            found.report[area] = measured_of_all(
                table,
                partitions,
                passed.order,
                measure_of,
                settings.intervals,
                chance,
                by_lot=passed.by_lot,
            )
    return found


def _fairness(
    settings: AssessmentSettings,
    passed: DataPass,
    partitions: list[Partition],
    chance: np.random.Generator,
) -> Fairness:
    detection = settings.detection
    if settings.outcome is None and not (detection and detection.missed):
        return Fairness(not_judged=["fairness: the settings name no outcome and no detection"])
    if not passed.tally.judged:
        return Fairness(not_judged=["fairness: no row has all that is needed"])
    counts = passed.outcomes.counts(passed.order)
    empty = {int(place) for place in np.flatnonzero(counts.sum(axis=(0, 2)) == 0)}
    kept = [each.without(empty) for each in partitions]
    if all(len(each.groups) < 2 for each in kept) and not _has_other_aim(settings):
        raise Refused(
            AssessmentRefusal.ONE_GROUP,
            f"{', '.join(settings.sensitive)}: the data holds one group only, two are needed: "
            "give data of more groups, or name another attribute",
        )
    if not detection and not counts[:, :, [TP, FN, FP]].any():
        detail = (
            f"no truth and no prediction is {passed.favourable!r}; truths are "
            f"{', '.join(passed.truths[:10])[:500]}: correct outcome.positive"
        )
        if _has_other_aim(settings):
            return Fairness(not_judged=[f"fairness: {detail}"])
        raise Refused(AssessmentRefusal.ONE_CLASS, detail)
    one_class = []
    if len(passed.truths) == 1:
        label = passed.truths[0]
        selected = int(counts[:, :, [TP, FP]].sum())
        if selected in (0, int(counts.sum())) and not _has_other_aim(settings):
            raise Refused(
                AssessmentRefusal.ONE_CLASS,
                f"every truth is {label!r} and every prediction falls on one side: give data with "
                "favourable and other outcomes, or correct outcome.positive",
            )
        one_class.append(
            f"fairness: every truth is {label!r}, so some error rates have no case: "
            "give rows of other outcomes"
        )
    counted = Counted(
        counts, detection is not None, settings.intervals, chance, by_lot=passed.by_lot
    )
    found = fairness_of(counted, kept)
    return Fairness(found.report, one_class + found.not_judged)


def _has_other_aim(settings: AssessmentSettings) -> bool:
    """Whether something is judged although groups cannot be compared."""
    privacy = settings.privacy
    return bool(
        privacy.quasi_identifiers
        or privacy.member
        or privacy.similarity
        or settings.latency
        or settings.explain.image
    )
