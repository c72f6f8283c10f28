"""What the confined process does: one assessment, told as JSON."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modeltrail.infra.confined.child import Tell
from modeltrail.processors.ethics.assessing import assess
from modeltrail.processors.ethics.assessment import Bounds
from modeltrail.processors.ethics.documentation import ModelRecord
from modeltrail.processors.ethics.refusals import Refused
from modeltrail.schemas.assessment_settings import assessment_settings


def assess_confined(request: Mapping[str, Any], tell: Tell) -> None:
    """Assess; see `Assessor.assess` for the request."""
    record = request["record"]
    try:
        found = assess(
            assessment_settings(request["settings"]),
            Path(request["data"]),
            Path(request["model"]) if request["model"] else None,
            ModelRecord(
                record["metadata"],
                record["lineage"],
                tuple(record["inputs"]),
                tuple(record["outputs"]),
            ),
            Bounds(**request["bounds"]),
        )
    except Refused as error:
        tell({"refused": error.reason.value, "detail": error.detail})
        return
    maps = {name: base64.b64encode(png).decode() for name, png in found.maps.items()}
    tell({"assessed": {**asdict(found), "maps": maps}})
