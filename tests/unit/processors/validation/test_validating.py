"""An honest model passes every check; whatever is wrong, or hostile, fails the one it should."""

import hashlib
import io
import json
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modeltrail.infra.clock import ManualClock
from modeltrail.infra.confined import Ending, Interrupted, Struck
from modeltrail.processors.validation import validating
from modeltrail.processors.validation.checks import NAMES
from modeltrail.processors.validation.job import ValidationJob
from modeltrail.processors.validation.validating import Subject, validate
from modeltrail.producers.errors import ArtifactErased, NotOnnx, Unavailable
from modeltrail.producers.registry.onnx_file import Signature, read_signature
from modeltrail.schemas.appended import Appended
from modeltrail.schemas.deployment_policy import ValidationPolicy, settings_json
from modeltrail.schemas.events import ModelValidated, Tensor, ValidationRequested
from modeltrail.schemas.ids import Micros, ModelId, Sha256, Version, derived_event_id
from tests import model_files

POLICY = ValidationPolicy(cpu_s=2.0, wall_s=20.0, memory_mb=512)
CHECKED_UP_TO = {name: number for number, name in enumerate(NAMES)}


def subject_of(folder: Path, content: bytes) -> Subject:
    """The file, registered with what it really takes and gives."""
    file = folder / "model.onnx"
    file.write_bytes(content)
    try:
        signature = read_signature(io.BytesIO(content), len(content), "model")
    except NotOnnx:
        signature = Signature()
    digest = Sha256(hashlib.sha256(content).digest())
    return Subject(file, digest, signature.tensors, signature.opsets)


def outcomes(evidence: dict[str, Any]) -> dict[str, str]:
    assert tuple(each["name"] for each in evidence["checks"]) == NAMES
    return {each["name"]: each["outcome"] for each in evidence["checks"]}


def detail(evidence: dict[str, Any], name: str) -> str:
    [found] = [each["detail"] for each in evidence["checks"] if each["name"] == name]
    return str(found)


def failed_checks(evidence: dict[str, Any]) -> set[str]:
    return {name for name, outcome in outcomes(evidence).items() if outcome == "FAILED"}


def golden_of(folder: Path, **arrays: Any) -> Path:
    file = folder / "golden.npz"
    np.savez(file, **{name.replace("_", ":"): each for name, each in arrays.items()})
    return file


def test_an_honest_model_passes_every_check(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    golden = golden_of(tmp_path, input_x=x, output_y=2 * x + 1)

    evidence = validate(subject_of(tmp_path, model_files.honest()), golden, POLICY)

    assert set(outcomes(evidence).values()) == {"PASSED"}
    assert "CPUExecutionProvider" in detail(evidence, "loads")
    assert {"onnxruntime", "onnx", "python", "host", "cpu_count", "providers"} <= set(
        evidence["environment"]
    )
    assert 0 < evidence["usage"]["cpu_s"] < POLICY.cpu_s
    assert 20 < evidence["usage"]["peak_memory_mb"] < 500
    json.dumps(evidence, allow_nan=False)


HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "data in another file": (lambda: model_files.data_elsewhere("/etc/passwd"), {"external_data"}),
    "data in another folder": (
        lambda: model_files.data_elsewhere("../model.onnx"),
        {"external_data"},
    ),
    "data elsewhere, inside a branch": (
        lambda: model_files.data_elsewhere_in_a_branch("/etc/passwd"),
        {"external_data"},
    ),
    "a weight of petabytes": (model_files.petabyte_weight, {"structure"}),
    "an input of petabytes": (model_files.petabyte_input, {"finite", "limits"}),
    "a loop without end": (model_files.endless_loop, {"finite", "limits"}),
    "4 GiB when it runs": (
        lambda: model_files.enormous_allocation(1 << 30),
        {"finite", "limits"},
    ),
    "32 GiB when it runs": (model_files.enormous_allocation, {"finite", "limits"}),
    "a constant of 32 GiB": (model_files.enormous_constant, {"finite", "limits"}),
    "graphs in graphs": (lambda: model_files.nested(30), {"structure"}),
    "very many graphs in graphs": (lambda: model_files.nested(3000), {"structure"}),
    "cut short": (lambda: model_files.honest()[:-7], {"structure"}),
    "random bytes": (lambda: random.Random(1).randbytes(3000), {"structure"}),
    "nothing": (lambda: b"", {"structure"}),
    "an operator that nobody has": (lambda: model_files.unary("Levitate"), {"operators"}),
    "a removed operator": (lambda: model_files.unary("Upsample"), {"operators"}),
    "an opset of the future": (
        lambda: model_files.unary("Relu", opsets={"": 999}),
        {"operators"},
    ),
    "operators of somebody's own": (
        lambda: model_files.unary("Blur", "com.acme", {"": 17, "com.acme": 1}),
        {"operators"},
    ),
    "NaN for negative numbers": (lambda: model_files.unary("Log"), {"finite"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_model_fails_its_check_and_nothing_else_happens(name: str, tmp_path: Path) -> None:
    make, expected = HOSTILE[name]

    evidence = validate(subject_of(tmp_path, make()), None, POLICY)

    assert failed_checks(evidence) == expected
    # what could not be judged any more is not said to have passed
    first = min(CHECKED_UP_TO[each] for each in expected)
    later = [each for each in outcomes(evidence).items() if CHECKED_UP_TO[each[0]] > first]
    if expected != {"finite"} and "limits" not in expected:
        assert dict(later)["loads" if first < CHECKED_UP_TO["loads"] else "finite"] == "SKIPPED"
    assert evidence["usage"]["wall_s"] < 15
    json.dumps(evidence, allow_nan=False)


@pytest.mark.parametrize(
    ("make", "policy", "words"),
    [
        (model_files.endless_loop, replace(POLICY, cpu_s=1.0), "CPU time (1 s)"),
        (model_files.endless_loop, replace(POLICY, cpu_s=60.0, wall_s=1.5), "time (1.5 s)"),
        (model_files.enormous_allocation, POLICY, "memory (512 MiB)"),
    ],
)
def test_the_limit_that_struck_is_named(
    make: Callable[[], bytes], policy: ValidationPolicy, words: str, tmp_path: Path
) -> None:
    evidence = validate(subject_of(tmp_path, make()), None, policy)

    assert words in detail(evidence, "limits")
    assert "did not come to its end" in detail(evidence, "finite")


def test_what_a_process_tells_that_was_taken_over_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: tuple[Any, ...] = (
        {"check": 5},
        {"check": {"name": "structure", "outcome": "GREAT", "detail": "trust me"}},
        {"check": {"name": "new", "outcome": "PASSED", "detail": ""}},
        {"running": ["loads"]},
        {"environment": "here"},
    )
    ending = Ending(said, Struck.NONE, "died of SIGSEGV", "", 1.0, 1.0, 1.0)
    monkeypatch.setattr(validating, "run_confined", lambda *_: ending)

    evidence = validate(subject_of(tmp_path, model_files.honest()), None, POLICY)

    found = outcomes(evidence)
    assert found.pop("limits") == "FAILED"
    assert set(found.values()) == {"SKIPPED"}
    assert "SIGSEGV" in detail(evidence, "limits")


def test_every_unsupported_operator_is_named(tmp_path: Path) -> None:
    content = model_files.unary("Blur", "com.acme", {"": 999, "com.acme": 1})
    [found] = [
        each
        for each in validate(subject_of(tmp_path, content), None, POLICY)["checks"]
        if each["name"] == "operators"
    ]
    assert found["unsupported"] == ["ai.onnx opset 999", "com.acme.Blur of opset 1"]


def test_other_bytes_than_the_registered_are_not_looked_at(tmp_path: Path) -> None:
    subject = replace(
        subject_of(tmp_path, model_files.honest()), sha256=Sha256(hashlib.sha256(b"").digest())
    )
    found = outcomes(validate(subject, None, POLICY))

    assert found.pop("sha256") == "FAILED"
    assert found.pop("limits") == "PASSED"
    assert set(found.values()) == {"SKIPPED"}


@pytest.mark.parametrize(
    "registered",
    [
        (Tensor(True, "x", "FLOAT", ("batch", "8")), Tensor(False, "y", "FLOAT", ("batch", "4"))),
        (Tensor(True, "x", "DOUBLE", ("batch", "4")), Tensor(False, "y", "FLOAT", ("batch", "4"))),
        (Tensor(True, "x", "FLOAT", ("batch", "4")),),
    ],
)
def test_another_signature_than_the_registered_one_fails(
    registered: tuple[Tensor, ...], tmp_path: Path
) -> None:
    subject = replace(subject_of(tmp_path, model_files.honest()), tensors=registered)
    assert failed_checks(validate(subject, None, POLICY)) == {"signature"}


class TestGolden:
    X = np.ones((1, 4), np.float32)

    def check(self, folder: Path, golden: Path | None, policy: ValidationPolicy = POLICY) -> Any:
        evidence = validate(subject_of(folder, model_files.honest()), golden, policy)
        return outcomes(evidence)["golden"], detail(evidence, "golden")

    def test_an_output_outside_the_tolerance_fails(self, tmp_path: Path) -> None:
        golden = golden_of(tmp_path, input_x=self.X, output_y=3 * self.X + 0.1)
        outcome, said = self.check(tmp_path, golden)
        assert (outcome, "4 of 4" in said) == ("FAILED", True)

    def test_an_output_inside_the_tolerance_passes(self, tmp_path: Path) -> None:
        golden = golden_of(tmp_path, input_x=self.X, output_y=3 * self.X + 0.1)
        loose = replace(POLICY, absolute_tolerance=0.2)
        assert self.check(tmp_path, golden, loose)[0] == "PASSED"

    def test_a_golden_nan_is_never_matched(self, tmp_path: Path) -> None:
        golden = golden_of(tmp_path, input_x=self.X, output_y=np.full_like(self.X, np.nan))
        assert self.check(tmp_path, golden)[0] == "FAILED"

    def test_objects_are_not_unpickled(self, tmp_path: Path) -> None:
        golden = golden_of(tmp_path, output_y=np.array([print], dtype=object))
        outcome, said = self.check(tmp_path, golden)
        assert (outcome, "allow_pickle" in said) == ("FAILED", True)

    @pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
    def test_what_is_no_golden_file_fails(self, content: bytes, tmp_path: Path) -> None:
        file = tmp_path / "golden.npz"
        file.write_bytes(content)
        assert self.check(tmp_path, file)[0] == "FAILED"

    def test_a_file_that_unpacks_to_more_than_the_memory_meets_the_limit(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "golden.npz"
        bomb: dict[str, Any] = {"output:y": np.zeros(200 * 1024 * 1024, np.uint8)}
        np.savez_compressed(file, **bomb)
        evidence = validate(
            subject_of(tmp_path, model_files.honest()), file, replace(POLICY, memory_mb=100)
        )
        assert failed_checks(evidence) == {"golden", "limits"}

    def test_none_is_skipped_unless_the_policy_requires_it(self, tmp_path: Path) -> None:
        assert self.check(tmp_path, None)[0] == "SKIPPED"
        required = replace(
            POLICY, require_golden=True, golden_uri="golden.npz", golden_sha256="00" * 32
        )
        assert self.check(tmp_path, None, required)[0] == "FAILED"


REQUEST = ValidationRequested(
    event_id=derived_event_id("request"),
    occurred_at=Micros(1),
    deployment_id=derived_event_id("deployment"),
    model_id=ModelId("m"),
    version=Version("v1.0.0"),
    artifact_sha256=Sha256(bytes(32)),
    settings_json=settings_json(POLICY),
)


def answered(job: ValidationJob, request: ValidationRequested) -> tuple[ModelValidated, set[str]]:
    answer = job.do(Appended(0, 0, 0, request), threading.Event())
    return answer, failed_checks(json.loads(answer.evidence_json))


def test_the_worker_answers_the_next_request_well_after_each_hostile_one(tmp_path: Path) -> None:
    # given a worker and files that want to keep it, fill it, or bring it down
    makers: list[Callable[[], bytes]] = [
        model_files.endless_loop,
        model_files.enormous_allocation,
        lambda: model_files.nested(3000),
        lambda: model_files.data_elsewhere("/etc/passwd"),
    ]
    files = {Version(f"v{number}.0.0"): make() for number, make in enumerate(makers)}
    files[Version("v9.0.0")] = model_files.honest()

    def find(_: ModelId, version: Version) -> Subject:
        return subject_of(tmp_path, files[version])

    job = ValidationJob(find, lambda *_: tmp_path, ManualClock())
    found = {}
    for version in [*files, Version("v9.0.0")]:
        digest = Sha256(hashlib.sha256(files[version]).digest())
        request = replace(REQUEST, version=version, artifact_sha256=digest)
        # when they are checked, one after the other
        found[version] = answered(job, request)[1]
    # then each has its verdict, and the honest one passes
    assert found.pop(Version("v9.0.0")) == set()
    assert all(found.values())


def test_what_cannot_be_fetched_is_evidence_and_an_answer_has_one_id(tmp_path: Path) -> None:
    def erased(*_: object) -> Subject:
        raise ArtifactErased("it was erased: use another version")

    job = ValidationJob(erased, lambda *_: tmp_path, ManualClock())
    answer, wrong = answered(job, REQUEST)

    assert wrong == {"sha256"}
    assert answer.request_id == REQUEST.event_id
    assert answered(job, REQUEST)[0] == answer


def test_settings_that_nobody_can_read_are_evidence(tmp_path: Path) -> None:
    job = ValidationJob(
        lambda *_: subject_of(tmp_path, model_files.honest()), lambda *_: tmp_path, ManualClock()
    )
    wrong = answered(job, replace(REQUEST, settings_json='{"memory_mb": "much"}'))[1]
    assert wrong == {"limits"}


def test_a_store_that_is_away_is_no_verdict(tmp_path: Path) -> None:
    def away(*_: object) -> Subject:
        raise Unavailable("the store is away")

    job = ValidationJob(away, lambda *_: tmp_path, ManualClock())
    with pytest.raises(Unavailable):
        answered(job, REQUEST)


def test_a_check_is_given_up_when_the_worker_stops(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        validate(subject_of(tmp_path, model_files.endless_loop()), None, POLICY, stop)
