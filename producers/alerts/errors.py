"""Says why an alert cannot be seen to; every message names the next step."""

from modeltrail.schemas.errors import ModeltrailError


class NoSuchAlert(ModeltrailError, KeyError):
    """No open alert has that id: see which are with `modeltrail alerts list`."""

    __str__ = Exception.__str__


class AmbiguousAlert(ModeltrailError):
    """Several open alerts have ids that begin so: give more of the id."""
