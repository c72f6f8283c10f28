"""Registers the five versions of the deployment demo, with the outputs that they must reproduce."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console

from modeltrail.infra.config import Settings
from modeltrail.schemas.deployment_policy import DeploymentPolicy

#: Width and height of the input where a version leaves it free, and of the smaller one.
SIZE = (256, 192)
SMALLER = (192, 160)
OUTPUT = Path("demo-output")
_MODEL = "centerface"
_WASTED_LAYERS = 6
FIRST, SMALL, SLOW, DIM_BLIND, NIGHT_BLIND = (
    "first",
    "smaller",
    "slower",
    "dim-blind",
    "night-blind",
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A registered version, and the file of golden inputs and outputs for its input size."""

    version: str
    golden_uri: str
    golden_sha256: str

    def guarded(self, policy: DeploymentPolicy) -> DeploymentPolicy:
        """The policy that also asks for the golden outputs."""
        golden = replace(
            policy.validation,
            golden_uri=self.golden_uri,
            golden_sha256=self.golden_sha256,
            require_golden=True,
        )
        return replace(policy, validation=golden)


def unused_model(settings: Settings) -> str:
    """A model id that was never deployed, so that the demo can be run again."""
    from modeltrail.producers.deployments import DeploymentClient

    used = {each.request.model_id for each in DeploymentClient(settings).list()}
    names = (_MODEL if number == 1 else f"{_MODEL}-{number}" for number in count(1))
    return next(name for name in names if name not in used)


def register_variants(settings: Settings, model_id: str, console: Console) -> Mapping[str, Variant]:
    """Make the files and register each; by name."""
    from modeltrail.producers.masker import variants
    from modeltrail.producers.masker.centerface import pinned_model, with_free_input_size
    from modeltrail.producers.registry.artifacts import open_artifact_store
    from modeltrail.producers.registry.client import ModelRegistry

    OUTPUT.mkdir(exist_ok=True)
    free = with_free_input_size(pinned_model())
    small = variants.with_fixed_input_size(free, SMALLER)
    files = {
        FIRST: free,
        SMALL: small,
        SLOW: variants.with_wasted_work(small, _WASTED_LAYERS),
        DIM_BLIND: variants.with_dim_blindness(small),
        NIGHT_BLIND: variants.with_dim_blindness(small, blind_below=15.0, sees_above=40.0),
    }
    store = open_artifact_store(settings)
    golden = {
        size: store.put(_golden(model, size, OUTPUT / f"golden-{size[0]}x{size[1]}.npz"))
        for model, size in ((free, SIZE), (small, SMALLER))
    }
    registry = ModelRegistry(settings)
    found = {}
    for name, content in files.items():
        path = OUTPUT / f"{name}.onnx"
        path.write_bytes(content)
        metadata = {"task": "face-detection", "variant": name}
        version = registry.register_model(model_id, path, metadata, requested_by="demo")
        kept = golden[SIZE if name == FIRST else SMALLER]
        found[name] = Variant(str(version), kept.uri, kept.sha256.hex())
    registry.close()
    told = ", ".join(f"{each.version} {name}" for name, each in found.items())
    console.print(f"\n[bold]Registered[/] {model_id}: {told}", soft_wrap=True)
    return found


def _golden(model: bytes, size: tuple[int, int], path: Path) -> Path:
    """What a version finds on a frame under full light."""
    import numpy as np

    from modeltrail.producers.masker.centerface import INPUT, OUTPUTS, prepare
    from modeltrail.producers.masker.detector import open_detector
    from modeltrail.producers.masker.node import usual_frames

    (frame,) = usual_frames(1)
    feeds = {INPUT: prepare(frame, size)}
    outputs: list[Any] = open_detector(model).run(OUTPUTS, feeds)
    arrays = {f"input:{INPUT}": feeds[INPUT]}
    arrays |= {f"output:{name}": value for name, value in zip(OUTPUTS, outputs, strict=True)}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return path
