"""Samples meet their ground truth, whatever numbers both hold."""

import math
from dataclasses import replace

from modeltrail.processors.windows.columns import Truth
from modeltrail.processors.windows.truths import Samples
from modeltrail.schemas.events import MeasurementSampled
from modeltrail.schemas.example_facts import example_fact


def test_an_error_beyond_what_a_number_holds_is_the_largest_there_is() -> None:
    sample = replace(
        example_fact(MeasurementSampled), names=("confidence_min",), values=(-1.7e308,)
    )
    samples = Samples(capacity=1)
    samples.add(sample)

    judged = samples.judge(
        Truth(
            position=0,
            model_id=sample.model_id,
            node_id=sample.node_id,
            session_id=sample.session_id,
            frame=sample.frame,
            names=("confidence_min",),
            values=(1.7e308,),
        )
    )

    assert judged is not None
    assert judged.accuracy == 0.0
    assert math.isfinite(judged.error)
    assert judged.error > 1e308
