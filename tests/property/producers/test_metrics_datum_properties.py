"""The hand-written encoder of MetricsLogged says what fastavro says, byte for byte."""

from hypothesis import given
from hypothesis import strategies as st

from modeltrail.producers.experiments.metrics_datum import metrics_datum
from modeltrail.schemas.avro_scalars import avro_string
from modeltrail.schemas.codec import encode_datum
from modeltrail.schemas.events import MetricsLogged
from modeltrail.schemas.ids import EventId, Micros, RunId

NAMES = st.text(min_size=1, max_size=250).filter(str.isprintable)
METRICS = st.dictionaries(
    NAMES, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=100
)


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**62),
    NAMES,
    st.none() | st.integers(0, 2**63 - 1),
    METRICS,
)
def test_the_datum_is_fastavros(
    event_id: bytes, occurred_at: int, run_id: str, step: int | None, metrics: dict[str, float]
) -> None:
    fact = MetricsLogged(
        EventId(event_id),
        Micros(occurred_at),
        RunId(run_id),
        step,
        tuple(metrics),
        tuple(metrics.values()),
    )

    datum = metrics_datum(
        fact.event_id,
        fact.occurred_at,
        avro_string(run_id),
        step,
        fact.names,
        list(fact.values),
    )

    assert datum == encode_datum(fact)
