"""A delivery worker that was paused while it began is not stuck when it goes on."""

import os
import select
import signal
import subprocess
import sys

from confluent_kafka import ConsumerGroupState

from modeltrail.infra.config import KafkaSettings, Settings
from modeltrail.infra.kafka import make_admin
from modeltrail.sinks.delivery.member import group_of
from tests.integration.conftest import worker_environment
from tests.waiting import eventually

# Right after the group gave it partitions, for the first time only.
PAUSED_AS_IT_BEGINS = """
import os, signal
from modeltrail.infra.cli import main
from modeltrail.sinks.delivery import member

begin = member.starts_of

def begin_after_a_pause(*given):
    member.starts_of = begin
    os.kill(os.getpid(), signal.SIGSTOP)
    return begin(*given)

member.starts_of = begin_after_a_pause
main()
"""


def has_members(settings: KafkaSettings) -> bool:
    group = group_of(settings.topic_prefix, "webhook")
    admin = make_admin(settings)
    described = admin.describe_consumer_groups([group])[group].result()
    return described.state is not ConsumerGroupState.EMPTY and bool(described.members)


def is_paused(process: "subprocess.Popen[str]") -> bool:
    return os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def test_a_worker_that_its_group_forgot_while_it_began_joins_again(
    fresh_settings: Settings,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PAUSED_AS_IT_BEGINS, "worker", "delivery"],
        env={
            **worker_environment(fresh_settings),
            "MODELTRAIL_ALERTING_WEBHOOK_URL": "http://127.0.0.1:9/nobody",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: is_paused(process))
        eventually(lambda: not has_members(fresh_settings.kafka))

        process.send_signal(signal.SIGCONT)

        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 300)[0], "it is stuck"
        assert process.stdout.readline() == "ready\n"
        assert has_members(fresh_settings.kafka)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
