"""The gateway's page of features and its tests name each other completely."""

import ast
import re
from pathlib import Path

import modeltrail.infra.gateway

_TESTS = Path(__file__).parents[3]
_PAGE = Path(modeltrail.infra.gateway.__file__).with_name("FEATURES.md")


def _tests_in(kind: str) -> set[str]:
    return {
        node.name
        for path in (_TESTS / kind / "infra" / "gateway").glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _rows() -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in _PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| Feature | ")
    ]
    return [row for row in rows if row[0] != "What"]


def test_each_feature_names_an_existing_test() -> None:
    existing = _tests_in("unit") | _tests_in("property") | _tests_in("integration")

    assert len(_rows()) > 30
    for row in _rows():
        named = set(re.findall(r"`(test_\w+)`", row[-1]))
        assert named, f"no test is named for: {row[0]}"
        assert named <= existing, f"no such test: {named - existing}"


def test_each_integration_test_is_on_the_page() -> None:
    page = set(re.findall(r"`(test_\w+)`", _PAGE.read_text(encoding="utf-8")))

    assert _tests_in("integration") - page == set()
