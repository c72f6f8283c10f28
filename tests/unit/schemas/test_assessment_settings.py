"""Settings of an assessment are read from YAML, told with their line, and carried as JSON."""

from dataclasses import replace

import pytest

from modeltrail.schemas.assessment_settings import (
    AssessmentSettings,
    AssessmentSettingsInvalid,
    OutcomeColumns,
    PrivacyColumns,
    assessment_json,
    assessment_settings,
    columns_of,
)

YAML = """
outcome: {truth: risk, prediction: predicted, positive: 1}
sensitive: [sex, age]
cuts: {age: [25, 40.5, 60]}
unit: session
privacy: {quasi_identifiers: [age, town]}
policy: {BIAS_ABOVE_0_1: 0.2}
"""


def test_what_a_person_wrote_comes_back_from_a_fact() -> None:
    settings = assessment_settings(YAML)
    assert settings.outcome == OutcomeColumns("risk", "predicted", positive="1")
    assert settings.cuts == {"age": (25.0, 40.5, 60.0)}
    assert settings.privacy == PrivacyColumns(("age", "town"))
    assert assessment_settings(assessment_json(settings)) == settings
    assert assessment_settings("") == AssessmentSettings()


def test_every_named_column_is_read_once() -> None:
    assert columns_of(assessment_settings(YAML)) == (
        "sex", "age", "session", "risk", "predicted", "town",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("sensitive: [sex", "not YAML: line 1"),
        ("sensitve: [sex]", "did you mean sensitive?"),
        ("outcome: {truth: t}", "outcome needs either prediction or score"),
        ("outcome: {truth: t, prediction: p, score: s}", "outcome needs either"),
        ("outcome: {truth: t, prediction: p}\nmodel: {}", "leave one out"),
        ("model: {}", "no outcome"),
        ("detection: {faces: f}", "detection needs missed or coverage"),
        ("outcome: {truth: t, score: s}\ndetection: {missed: m}", "assess them apart"),
        ("cuts: {age: [40, 25]}", "cuts of age do not rise"),
        ("sensitive: [a, a]", "names a column twice"),
        ("sensitive: [a, b, c, d, e]", "has 5 elements: give 0 to 4"),
        ("privacy: {member: m}", "needs either loss or confidence"),
        ("intervals: {confidence: 1.5}", "line 1: intervals.confidence: is 1.5"),
        ("policy: {A: .inf}", "policy.A"),
        ("outcome: {truth: t, prediction: p, positive: [1]}", "give one label"),
        ("[1]", "must be a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_the_next_step(yaml: str, said: str) -> None:
    with pytest.raises(AssessmentSettingsInvalid) as error:
        assessment_settings(yaml)
    assert said in str(error.value)


def test_settings_made_in_code_are_checked_too() -> None:
    settings = replace(AssessmentSettings(), sensitive=("a", "a"))
    with pytest.raises(AssessmentSettingsInvalid):
        assessment_json(settings)
