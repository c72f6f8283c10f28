"""A secret is never shown, only revealed."""

import dataclasses
import json
from pathlib import Path

import pytest

from modeltrail.infra.config import ClickHouseSettings, Settings, load_settings
from modeltrail.infra.errors import ConfigError
from modeltrail.infra.secret import Secret

CLEAR = "correct horse battery staple"


def test_a_secret_is_masked_however_it_is_printed() -> None:
    secret = Secret(CLEAR)

    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!s:>40}", "%s" % secret):  # noqa: UP031
        assert CLEAR not in shown
        assert "***" in shown


def test_settings_that_hold_a_secret_do_not_show_it() -> None:
    settings = Settings(clickhouse=ClickHouseSettings(password=Secret(CLEAR)))

    assert CLEAR not in repr(settings)
    assert CLEAR not in str(dataclasses.asdict(settings))
    with pytest.raises(TypeError):
        json.dumps(dataclasses.asdict(settings))


def test_a_secret_is_revealed_when_asked() -> None:
    settings = load_settings(environ={"MODELTRAIL_CLICKHOUSE_PASSWORD": CLEAR}, embedded=False)

    assert settings.clickhouse.password.reveal() == CLEAR


def test_an_empty_secret_is_told_from_a_set_one() -> None:
    assert repr(Secret("")) == "''"
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")


def test_a_wrong_secret_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(json.dumps({"clickhouse": {"password": [CLEAR]}}))

    with pytest.raises(ConfigError) as caught:
        load_settings(file, environ={})

    assert CLEAR not in str(caught.value)
    assert "clickhouse.password is ***" in str(caught.value)
