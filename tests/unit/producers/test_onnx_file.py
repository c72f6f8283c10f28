"""What passes for an ONNX file, and what is refused."""

import io
from pathlib import Path

import pytest

from modeltrail.producers.errors import NotOnnx
from modeltrail.producers.registry.onnx_file import require_onnx

IR_VERSION = b"\x08\x08"
PRODUCER = b"\x12\x04test"
GRAPH = b"\x3a\x03abc"
OPSET = b"\x42\x02\x10\x0d"


def check(content: bytes) -> None:
    require_onnx(io.BytesIO(content), len(content), "model.onnx")


def test_a_model_with_version_and_graph_passes() -> None:
    check(IR_VERSION + PRODUCER + GRAPH + OPSET)


def test_fields_of_a_later_onnx_pass() -> None:
    check(IR_VERSION + GRAPH + b"\xf2\x07\x01x")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"not a model at all, but text", "not a whole"),
        (b"PK\x03\x04 a zip archive", "not a whole"),
        (b"\x89PNG\r\n\x1a\n", "not a whole"),
        (IR_VERSION + PRODUCER, "no graph"),
        (GRAPH + OPSET, "no ir_version"),
        (IR_VERSION + GRAPH[:-1], "not a whole"),
        (IR_VERSION + GRAPH + b"\x42", "not a whole"),
        (IR_VERSION + b"\x38\x01", "not a whole"),
        (b"\x08" + b"\xff" * 11, "not a whole"),
    ],
)
def test_everything_else_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(NotOnnx, match=reason):
        check(content)


def test_a_huge_graph_is_skipped_not_read(tmp_path: Path) -> None:
    # Given a sparse file whose graph claims 3 GiB
    size = 3 * 1024**3
    path = tmp_path / "huge.onnx"
    header = IR_VERSION + b"\x3a" + bytes((0x80, 0x80, 0x80, 0x80, 0x0C))
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)

    # When it is checked
    with path.open("rb") as file:
        counting = CountingReader(file)
        require_onnx(counting, len(header) + size, "huge.onnx")  # type: ignore[arg-type]

    # Then next to nothing was read
    assert counting.bytes_read < 100


class CountingReader:
    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.bytes_read = 0

    def read(self, count: int) -> bytes:
        self.bytes_read += count
        return self._file.read(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
