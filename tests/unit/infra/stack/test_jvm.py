"""A Java program records its ahead-of-time cache once and uses it ever after."""

from pathlib import Path

import pytest

from modeltrail.infra.stack.jvm import AotCache, command, java_environment

RECORD = "-XX:AOTCacheOutput="


def recorded_file(cache: AotCache, recorder: str) -> Path:
    (option,) = cache.use_or_record(recorder)
    assert option.startswith(RECORD)
    return Path(option.removeprefix(RECORD))


def test_the_first_run_records_and_the_next_one_uses_what_was_recorded(tmp_path: Path) -> None:
    cache = AotCache(tmp_path, "kafka", "a.jar:b.jar")
    recorded_file(cache, "run-1").write_bytes(b"cache")

    used = cache.use_or_record("run-2")[-1]

    assert cache.use()[-1] == used
    assert used.startswith("-XX:AOTCache=")
    assert Path(used.removeprefix("-XX:AOTCache=")).read_bytes() == b"cache"


def test_a_recording_that_another_stack_takes_over_at_this_moment_is_used_as_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AotCache(tmp_path, "kafka", "a.jar")
    recorded = recorded_file(cache, "run-1")
    recorded.write_bytes(b"cache")
    rename = Path.rename

    def second_to_rename(self: Path, target: Path) -> Path:
        rename(self, target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", second_to_rename)

    used = cache.use()[-1]

    assert Path(used.removeprefix("-XX:AOTCache=")).read_bytes() == b"cache"


def test_half_a_recording_is_not_used(tmp_path: Path) -> None:
    cache = AotCache(tmp_path, "kafka", "a.jar")
    recorded = recorded_file(cache, "run-1")
    recorded.write_bytes(b"half")
    recorded.with_name(f"{recorded.name}.config").write_bytes(b"")

    assert cache.use() == ()


def test_other_archives_need_another_cache(tmp_path: Path) -> None:
    recorded_file(AotCache(tmp_path, "kafka", "a.jar"), "run-1").write_bytes(b"cache")

    assert AotCache(tmp_path, "kafka", "b.jar").use() == ()


def test_a_short_lived_stack_records_nothing(tmp_path: Path) -> None:
    assert AotCache(tmp_path, "kafka", "a.jar").use_or_record(None) == ()


def test_two_stacks_record_apart(tmp_path: Path) -> None:
    cache = AotCache(tmp_path, "kafka", "a.jar")

    assert recorded_file(cache, "run-1") != recorded_file(cache, "run-2")


def test_a_java_program_gets_nothing_that_changes_how_java_behaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-agentlib:jdwp=transport=dt_socket,server=y")
    monkeypatch.setenv("KAFKA_OPTS", "-javaagent:x.jar")

    assert not {"JAVA_TOOL_OPTIONS", "KAFKA_OPTS"} & set(java_environment())


def test_options_come_before_the_program() -> None:
    line = command(512, ("-Dx=1",), ("-jar", "app.jar"))

    assert "-Xmx512m" in line
    assert line[-2:] == ("-jar", "app.jar")
    assert line.index("-Dx=1") < line.index("-jar")
