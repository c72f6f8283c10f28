"""A profile describes columns so that windows can be counted over the same bins exactly."""

import numpy as np
import pytest

from modeltrail.producers.profiling.features import feature_profile
from modeltrail.producers.profiling.profile import Dataset, reference_profile
from modeltrail.producers.registry.fold import RegisteredModel
from modeltrail.schemas.errors import InvalidFact
from modeltrail.schemas.events import FeatureKind
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version
from modeltrail.schemas.sketch import snapped

MODEL = RegisteredModel(
    ModelId("centerface"), Version("v1.0.0"), "", Sha256(bytes(32)), 1, {}, (), "", Micros(0)
)
DATASET = Dataset("validation", Sha256(bytes(range(32))), 5_000)


def test_a_continuous_column_is_binned_by_deciles_on_sketch_boundaries() -> None:
    values = np.random.default_rng(1).normal(-2, 30, 5_000)

    profile = feature_profile("luma_mean", values)

    assert profile.kind is FeatureKind.NUMERIC
    assert len(profile.counts) == len(profile.edges) + 1 == 10
    assert sum(profile.counts) == 5_000
    assert min(profile.counts) > 400
    assert profile.edges == tuple(snapped(edge) for edge in profile.edges)
    assert list(profile.counts) == np.histogram(values, [-1e9, *profile.edges, 1e9])[0].tolist()


def test_a_few_small_whole_numbers_are_categories() -> None:
    profile = feature_profile("faces", np.repeat([0.0, 1.0, 3.0], [10, 80, 30]))

    assert profile.kind is FeatureKind.CATEGORICAL
    assert profile.categories == ("0", "1", "3")
    assert profile.counts == (10, 80, 30)


def test_many_or_large_whole_numbers_are_numeric() -> None:
    assert feature_profile("frame", np.arange(500)).kind is FeatureKind.NUMERIC
    assert feature_profile("size", np.repeat([1e6, 2e6], 100)).kind is FeatureKind.NUMERIC


def test_a_value_that_makes_up_most_of_a_column_has_a_bin_of_its_own() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([np.zeros(800), rng.uniform(0.1, 1.0, 200)])

    profile = feature_profile("mask_coverage", values)

    assert profile.counts[0] == 800
    assert all(profile.counts)


def test_a_constant_is_between_two_empty_bins() -> None:
    profile = feature_profile("fps", np.full(200, 24.97))

    assert profile.counts == (0, 200, 0)
    assert profile.edges[0] <= 24.97 < profile.edges[1]


def test_missing_values_are_left_out() -> None:
    values = np.concatenate([np.full(50, np.nan), np.linspace(1, 2, 150)])

    assert sum(feature_profile("face_size", values).counts) == 150


def test_a_column_with_few_values_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidFact, match="feature face_size has 99 values"):
        feature_profile("face_size", np.linspace(1, 2, 99))


def test_the_fact_says_which_data_set_and_version_it_is_of() -> None:
    columns = {"luma_mean": np.linspace(0, 255, 5_000), "faces": np.arange(5_000) % 3}

    fact = reference_profile(MODEL, DATASET, columns, Micros(7), "ops")

    assert (fact.model_id, fact.version) == (MODEL.model_id, MODEL.version)
    assert (fact.dataset, fact.dataset_sha256, fact.rows) == ("validation", DATASET.sha256, 5_000)
    assert [feature.name for feature in fact.features] == ["luma_mean", "faces"]
    assert (fact.occurred_at, fact.profiled_by) == (7, "ops")


def test_no_columns_are_no_profile() -> None:
    with pytest.raises(InvalidFact, match="no column of numbers"):
        reference_profile(MODEL, DATASET, {}, Micros(7))
