"""Property tests share two cores with others: how long an example takes says nothing."""

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow]
settings.register_profile("shared-cores", deadline=None, suppress_health_check=_SLOW)
# `make prove` looks at ten times as many examples.
settings.register_profile("long", max_examples=1000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile("shared-cores")
