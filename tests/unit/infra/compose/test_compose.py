"""docker-compose.yml is valid by the compose specification and as careful as the embedded stack."""

import json
import re
from importlib.metadata import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from modeltrail.infra.config import describe_settings, environment_name
from modeltrail.infra.stack.maven import read_lock
from modeltrail.infra.stack.parts.clickhouse import READER_LIMITS

VENDOR = "check-jsonschema"
ROOT = Path(__file__).parents[4]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SERVERS = ("kafka", "registry", "clickhouse")
USERS = ElementTree.parse(ROOT / "infra/compose/clickhouse-users.xml").getroot()

every_service = pytest.mark.parametrize("name", SERVICES)


def test_it_is_valid_by_the_compose_specification() -> None:
    # Found by its file: importing the package that vendors it needs a newer click than Faust has.
    (vendored,) = (file for file in files(VENDOR) or () if file.name == "compose-spec.json")

    jsonschema.Draft7Validator(json.loads(vendored.read_text())).validate(COMPOSE)


def test_it_has_the_parts_of_the_embedded_stack() -> None:
    assert set(SERVICES) == {*SERVERS, "migrate", "processors", "projector", "jobs", "delivery"}


def test_alerts_are_delivered_only_where_that_is_asked_for() -> None:
    optional = [name for name, service in SERVICES.items() if "profiles" in service]

    assert optional == ["delivery"]


@every_service
def test_images_are_pinned_to_an_exact_version(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+(\.\d+)?", SERVICES[name]["image"])


def test_the_base_image_of_the_workers_is_pinned() -> None:
    dockerfile = (ROOT / "infra/compose/Dockerfile").read_text()

    bases = re.findall(r"^FROM (\S+)", dockerfile, flags=re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base) for base in bases)


def test_the_servers_have_the_versions_of_the_embedded_stack() -> None:
    embedded = {
        archive.artifact: archive.version for part in read_lock().values() for archive in part
    }

    assert SERVICES["kafka"]["image"].endswith(f":{embedded['kafka_2.13']}")
    assert SERVICES["registry"]["image"].endswith(f":{embedded['apicurio-registry-app']}")


@every_service
def test_nothing_runs_as_root_or_with_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]

    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged", False)


@pytest.mark.parametrize(
    "name", ["registry", "migrate", "processors", "projector", "jobs", "delivery"]
)
def test_what_needs_no_writable_image_has_none(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


@every_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_whatever_stays_up_has_a_healthcheck(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_the_order_is_servers_then_migration_then_workers() -> None:
    after_servers = {name: {"condition": "service_healthy"} for name in SERVERS}
    after_migration = {"migrate": {"condition": "service_completed_successfully"}}

    assert SERVICES["migrate"]["depends_on"] == after_servers
    assert SERVICES["processors"]["depends_on"] == after_migration
    assert SERVICES["projector"]["depends_on"] == after_migration
    assert SERVICES["jobs"]["depends_on"] == after_migration
    assert SERVICES["delivery"]["depends_on"] == after_migration


@pytest.mark.parametrize("name", SERVERS)
def test_what_servers_store_is_in_named_volumes(name: str) -> None:
    named = [mount.split(":")[0] for mount in SERVICES[name]["volumes"]]

    assert set(named) & set(COMPOSE["volumes"])


def settings_named_in(text: str) -> set[str]:
    return set(re.findall(r"\bMODELTRAIL_[A-Z_]*[A-Z]\b", text))


@pytest.mark.parametrize(
    "file",
    ["docker-compose.yml", "infra/compose/env.example", "infra/compose/clickhouse-users.xml"],
)
def test_every_setting_that_is_named_exists(file: str) -> None:
    known = {environment_name(section, key) for section, key, _default, _doc in describe_settings()}

    named = settings_named_in((ROOT / file).read_text())
    assert named
    assert named <= known


def test_passwords_come_from_the_environment_and_must_be_set() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith("PASSWORD"):
                assert re.fullmatch(rf"\$\{{{name}:\?[^}}]+\}}", value)


def test_the_example_names_every_variable_that_must_be_set() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))

    example = (ROOT / "infra/compose/env.example").read_text()
    assert set(re.findall(r"^(\w+)=$", example, flags=re.MULTILINE)) == required


def test_the_reading_account_can_only_read_and_is_limited_as_in_the_embedded_stack() -> None:
    reader = USERS.find("users/reader")
    assert reader is not None
    profile = USERS.find(f"profiles/{reader.findtext('profile')}")
    assert profile is not None

    assert [grant.text for grant in reader.iter("query")] == ["GRANT SELECT ON modeltrail.*"]
    assert profile.findtext("readonly") == "1"
    limits = {name: int(profile.findtext(name) or 0) for name in READER_LIMITS}
    assert limits == READER_LIMITS


def test_no_account_is_without_a_password_from_the_environment() -> None:
    users = USERS.find("users")
    assert users is not None
    for user in users:
        if user.get("remove") == "remove":
            continue
        password = user.find("password")
        assert password is not None
        assert password.get("from_env") in SERVICES["clickhouse"]["environment"]


def test_the_image_is_installed_from_hashed_locks() -> None:
    dockerfile = (ROOT / "infra/compose/Dockerfile").read_text()

    for line in re.findall(r"pip install.*", dockerfile):
        assert "--require-hashes" in line or "--no-deps /wheels/" in line
    for lock in ("infra/compose/build-requirements.txt", "requirements/workers.txt"):
        assert "--hash=sha256:" in (ROOT / lock).read_text()
