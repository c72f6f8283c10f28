"""The commands of deployments against a real log, with nobody who deploys."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modeltrail.infra.cli.deploy import deploy
from modeltrail.infra.cli.deployments import deployments
from modeltrail.infra.config import Settings
from modeltrail.infra.kafka import make_producer
from modeltrail.infra.schema_registry import ConfluentSchemaIds
from modeltrail.producers.deployments import DeploymentClient, NoSuchDeployment
from modeltrail.producers.errors import UnknownModel
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.deployment_policy import PolicyInvalid
from modeltrail.schemas.events import DeploymentRequestRefused, Fact, ModelRegistered
from modeltrail.schemas.example_facts import example_fact
from modeltrail.schemas.topics import DEPLOYMENTS, REGISTRY, Topic, key_of


def append(settings: Settings, topic: Topic, fact: Fact) -> None:
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    producer = make_producer(settings.kafka)
    name = topic.full_name(settings.kafka.topic_prefix)
    producer.produce(name, codec.encode(fact), key_of("centerface"))
    assert producer.flush(30) == 0


def run(settings: Settings, *arguments: str) -> Result:
    command = deploy if arguments[0] == "deploy" else deployments
    rest = arguments[1:] if command is deploy else arguments
    return CliRunner().invoke(command, list(rest), obj=settings)


@pytest.fixture
def registered(fresh_settings: Settings) -> str:
    fact = example_fact(ModelRegistered)
    append(fresh_settings, REGISTRY, fact)
    return str(fact.version)


def test_a_deployment_is_asked_for_listed_shown_and_judged_again(
    fresh_settings: Settings, registered: str, tmp_path: Path
) -> None:
    # Given a policy in a file
    policy = tmp_path / "policy.yaml"
    policy.write_text("performance: {max_latency_ratio: 1.05}\n")

    # When a deployment is asked for, and nobody waits
    asked = run(
        fresh_settings,
        *("deploy", "centerface", registered, "--policy", str(policy), "--detach"),
        *("--by", "release", "--reason", "better recall"),
    )
    assert asked.exit_code == 0, asked.output
    (found,) = DeploymentClient(fresh_settings).list()
    assert found.deployment_id.hex() == asked.output.strip()

    # Then it is queued, and shown with its policy
    listed = json.loads(run(fresh_settings, "list", "--format", "json").output)
    assert [row["standing"] for row in listed] == ["QUEUED"]
    shown = json.loads(run(fresh_settings, "show", asked.output[:8], "--format", "json").output)
    assert shown["policy"]["performance"]["max_latency_ratio"] == 1.05
    assert shown["why"] == "better recall"
    assert run(fresh_settings, "rejudge", asked.output[:8]).exit_code == 0

    # When it is refused, whoever watches it sees that
    refusal = example_fact(DeploymentRequestRefused)
    fields = {name: getattr(refusal, name) for name in refusal.__slots__}
    fields |= {"event_id": refusal.event_id, "request_id": found.deployment_id}
    append(fresh_settings, DEPLOYMENTS, DeploymentRequestRefused(**fields))
    watched = run(fresh_settings, "watch", asked.output[:8])
    assert watched.exit_code == 0
    assert "refused" in watched.output


def test_what_cannot_be_deployed_is_said_before_anything_is_appended(
    fresh_settings: Settings, registered: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("ab_test:\n  alfa: 0.05\n")

    unknown_model = run(fresh_settings, "deploy", "nobody", "v1.0.0")
    unknown_setting = run(
        fresh_settings, "deploy", "centerface", registered, "--policy", str(wrong)
    )
    unknown_id = run(fresh_settings, "show", "0123")

    assert isinstance(unknown_model.exception, UnknownModel)
    assert isinstance(unknown_setting.exception, PolicyInvalid)
    assert "line 2" in str(unknown_setting.exception)
    assert isinstance(unknown_id.exception, NoSuchDeployment)
    assert DeploymentClient(fresh_settings).list() == []
