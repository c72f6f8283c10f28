"""The deployment policy of the README is one that can be used."""

import re
from pathlib import Path

from modeltrail.schemas.deployment_policy import Risk, policy_from_yaml

README = Path("README.md").read_text(encoding="utf-8")


def test_the_policy_of_the_readme_can_be_used() -> None:
    match = re.search(r"## Deploy\n.*?```yaml\n(.*?)```", README, re.DOTALL)
    assert match is not None

    policy = policy_from_yaml(match[1])

    assert policy.production.alias == "champion"
    assert policy.ab_test is not None
    assert policy.ab_test.guardrails[0].metric == "faces_unmasked"
    assert policy.ethics is not None
    assert policy.ethics.maximum_bias_risk is Risk.MEDIUM
