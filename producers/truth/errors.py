"""Says what is wrong with a file of ground truth; every message names the next step."""

from modeltrail.schemas.errors import ModeltrailError


class TruthFileInvalid(ModeltrailError, ValueError):
    """The file is not the CSV that is needed; nothing of it was appended: correct it."""
