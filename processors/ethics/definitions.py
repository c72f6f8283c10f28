"""Answers what each measure of an assessment means, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Definition:
    """What is measured, how its interval is made, and who defined it."""

    text: str
    source: str


_HARDT = "Hardt, Price, Srebro: Equality of Opportunity in Supervised Learning, NeurIPS 2016"
_DWORK = "Dwork et al.: Fairness through Awareness, ITCS 2012"
_FAIRLEARN = "fairlearn MetricFrame; Fawcett: An introduction to ROC analysis, 2006"
_FIFTHS = "EEOC Uniform Guidelines, 29 CFR 1607.4(D)"
_BOOTSTRAP = (
    " Interval: bias-corrected bootstrap (Efron 1981); Wilson's of the independent rows or units "
    "where all outcomes agree or fewer than 5 of them hold the group."
)
_BAND = (
    " Interval: bootstrap band over all pairs of groups at once (Romano, Wolf 2005); conservative, "
    "as the farthest groups were chosen by looking."
)
_SWEENEY = "Sweeney: k-anonymity, a model for protecting privacy, 2002"
_YEOM = "Yeom et al.: Privacy Risk in Machine Learning, CSF 2018"
_GEBRU = "Mitchell et al.: Model Cards for Model Reporting, FAT* 2019"
_ORDER = " Interval: order statistics (Conover: Practical Nonparametric Statistics, 3.2)."
_CENSUS = " No interval: it describes this data, not a population."

DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {
        "rows": Definition("Rows of the group; of detections, faces." + _CENSUS, "counted"),
        "selection_rate": Definition(
            "Share of rows that are predicted favourably." + _BOOTSTRAP, _FAIRLEARN
        ),
        "impact_ratio": Definition(
            "Selection rate of the group over that of the group with the highest." + _BAND,
            _FIFTHS,
        ),
        "true_positive_rate": Definition(
            "Share of truly favourable rows that are predicted favourably." + _BOOTSTRAP, _FAIRLEARN
        ),
        "false_positive_rate": Definition(
            "Share of other rows that are predicted favourably." + _BOOTSTRAP, _FAIRLEARN
        ),
        "false_negative_rate": Definition(
            "Share of truly favourable rows that are not predicted so." + _BOOTSTRAP, _FAIRLEARN
        ),
        "accuracy": Definition(
            "Share of rows whose predicted label is the true one." + _BOOTSTRAP, _FAIRLEARN
        ),
        "miss_rate": Definition("Share of faces that were missed." + _BOOTSTRAP, _FAIRLEARN),
        "demographic_parity_difference": Definition(
            "Highest less lowest selection rate of the groups; 0 is parity." + _BAND, _DWORK
        ),
        "demographic_parity_ratio": Definition(
            "Lowest over highest selection rate of the groups; 1 is parity, under 0.8 breaks the "
            "four-fifths rule." + _BAND,
            f"{_DWORK}; {_FIFTHS}",
        ),
        "equalized_odds_difference": Definition(
            "The larger of the differences of true and of false positive rates between groups; 0 "
            "is parity." + _BAND,
            _HARDT,
        ),
        "equalized_odds_ratio": Definition(
            "The smaller of the ratios of true and of false positive rates between groups; 1 is "
            "parity." + _BAND,
            _HARDT,
        ),
        "accuracy_difference": Definition(
            "Highest less lowest accuracy of the groups." + _BAND, _FAIRLEARN
        ),
        "miss_rate_difference": Definition(
            "Highest less lowest miss rate of the groups." + _BAND, _HARDT
        ),
        "miss_rate_ratio": Definition(
            "Lowest over highest miss rate of the groups." + _BAND, _HARDT
        ),
        "bias_score": Definition(
            "The surest difference of demographic parity, equalised odds or miss rates over all "
            "attributes: the one whose interval begins highest, which is the interval here.",
            f"{_DWORK}; {_HARDT}",
        ),
        "overall_fairness": Definition(
            "The surest ratio of demographic parity over all attributes: the one whose interval "
            "ends lowest, which is the interval here.",
            f"{_DWORK}; {_FIFTHS}",
        ),
        "latency_mean_ms": Definition(
            "Mean latency, ms. Interval: Student's t; of units, bootstrap.", "Student 1908"
        ),
        "latency_p50_ms": Definition(
            "Median latency, ms, within 0.4 %." + _ORDER, "Masson et al.: DDSketch, 2019"
        ),
        "latency_p95_ms": Definition(
            "95th percentile of the latency, ms, within 0.4 %." + _ORDER,
            "Masson et al.: DDSketch, 2019",
        ),
        "latency_ratio": Definition(
            "Lowest over highest mean latency of the groups. Interval: as that of other ratios.",
            "Romano, Wolf 2005; means drawn anew from their errors",
        ),
        "coverage_mean": Definition(
            "Mean masked share of the faces' area. Interval: Student's t; of units, bootstrap.",
            "Student 1908",
        ),
        "coverage_p5": Definition(
            "5th percentile of the masked share, within 0.4 %." + _ORDER,
            "Masson et al.: DDSketch, 2019",
        ),
        "coverage_ratio": Definition(
            "Lowest over highest mean mask coverage of the groups. Interval: as that of other "
            "ratios.",
            "Romano, Wolf 2005; means drawn anew from their errors",
        ),
        "k_anonymity": Definition(
            "Rows of the smallest set that shares all quasi-identifiers." + _CENSUS, _SWEENEY
        ),
        "uniqueness": Definition(
            "Share of rows whose quasi-identifiers no other row has." + _CENSUS,
            "Skinner, Elliot: A measure of disclosure risk for microdata, 2002",
        ),
        "below_k5": Definition(
            "Share of rows in sets of fewer than 5 that share all quasi-identifiers." + _CENSUS,
            _SWEENEY,
        ),
        "membership_auc": Definition(
            "Chance that a member scores more like a member than a non-member; 0.5 is none. "
            "Interval: on the logit, DeLong's variance; of units, Obuchowski's.",
            f"{_YEOM}; DeLong, DeLong, Clarke-Pearson 1988; Obuchowski 1997",
        ),
        "membership_tpr": Definition(
            "Share of members found where at most 1 % of non-members are taken for such. "
            "Interval: Wilson, for a fixed threshold; of units, with the effective sample size.",
            "Carlini et al.: Membership Inference Attacks From First Principles, S&P 2022; Kish: "
            "Survey Sampling, 1965",
        ),
        "reidentification_rate": Definition(
            "Share of masked faces whose similarity to their own reaches the cut-off. Interval: "
            "Wilson; of units, with the effective sample size.",
            "Wilson 1927; Kish: Survey Sampling, 1965",
        ),
        "risk_level": Definition(
            "0 LOW, 1 MEDIUM, 2 HIGH, the worst of its reasons. No interval: it follows from "
            "others.",
            "rules",
        ),
        "transparency_score": Definition(
            "Share of the listed items that are met. No interval: it is a count.", _GEBRU
        ),
        "transparency_item": Definition(
            "1 where it is met, 0 where it is not. No interval: it is a count.", _GEBRU
        ),
        "permutation_importance": Definition(
            "Accuracy lost when the column is permuted, mean over repeats. Interval: Student's t "
            "over the repeats.",
            "Breiman: Random Forests, 2001; Fisher, Rudin, Dominici 2019",
        ),
        "occlusion_drop": Definition(
            "Largest loss of the model's score when one patch is grey. No interval: the model is "
            "deterministic.",
            "Zeiler, Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014",
        ),
        "left_out": Definition(
            "Share of rows left out, as something is missing." + _CENSUS, "counted"
        ),
    }
)
