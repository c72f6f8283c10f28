"""Property tests share two cores with others: how long an example takes says nothing."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "shared-cores", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-cores")
