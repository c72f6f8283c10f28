"""The alerting part of the demo: rules, a reference profile, and a webhook that hears of alerts."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console

from modeltrail.infra.config import Settings, environment_name

LATENCY = "HIGH_LATENCY"
DRIFT = "DRIFT"
_REFERENCE_FRAMES = 400
#: A larger input has 16 times the pixels; two nodes on two cores slow each other four times or so.
_SLOWER = 8.0
_RECOVERED = 7.0
_POLL_S = 0.2


def set_rules(settings: Settings, model_id: str, usual_ms: float, console: Console) -> None:
    """Put a latency threshold and a drift policy in force."""
    from modeltrail.producers.rules.client import RulesClient
    from modeltrail.schemas.events import Direction, Severity, Statistic, ThresholdRule
    from modeltrail.schemas.rulebook import DEFAULT_POLICY

    limit = round(_SLOWER * usual_ms, 1)
    rule = ThresholdRule(
        name=LATENCY,
        metric="latency_ms",
        statistic=Statistic.P95,
        window="10s",
        direction=Direction.ABOVE,
        threshold=limit,
        severity=Severity.WARNING,
        resolve_threshold=round(_RECOVERED * usual_ms, 1),
        minimum_samples=20,
    )
    client = RulesClient(settings)
    client.set_thresholds(model_id, [rule], set_by="demo")
    policy = replace(DEFAULT_POLICY, window="10s", minimum_effective_samples=5, persistence=2)
    client.set_drift_policy(model_id, policy, set_by="demo")
    console.print(
        f"[bold]Rules[/] {LATENCY}: p95 of latency_ms over 10s above {limit} ms; "
        "DRIFT: PSI above 0.2 in 2 windows of 10s"
    )


def set_reference(settings: Settings, model_id: str, version: str, console: Console) -> None:
    """Profile the features of frames under full light, as drift's reference."""
    import numpy as np

    from modeltrail.infra.cli.profile import append_profile
    from modeltrail.infra.clock import SystemClock
    from modeltrail.producers.masker.node import usual_frames
    from modeltrail.producers.monitoring.features import frame_features
    from modeltrail.producers.profiling.profile import Dataset, reference_profile
    from modeltrail.producers.registry.client import ModelRegistry
    from modeltrail.schemas.ids import Micros, Sha256

    features = [frame_features(frame) for frame in usual_frames(_REFERENCE_FRAMES)]
    columns = {
        name: np.array([getattr(each, name) for each in features])
        for name in ("luma_mean", "luma_std", "laplacian_var")
    }
    digest = hashlib.sha256(b"".join(column.tobytes() for column in columns.values())).digest()
    registry = ModelRegistry(settings)
    model = registry.get_model(model_id, version)
    registry.close()
    assert model is not None
    dataset = Dataset("frames under full light", Sha256(digest), len(features))
    now = Micros(SystemClock().now_us())
    append_profile(settings, reference_profile(model, dataset, columns, now, "demo"))
    console.print(f"[bold]Reference[/] of {', '.join(columns)} from {len(features)} frames")


@dataclass
class Webhook:
    """What a consumer of alerts on the loopback interface was told, checked by its signature."""

    secret: str
    console: Console
    heard: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    def steps(self, rule: str) -> list[str]:
        """The steps of the alerts of a rule, in the order of their arrival."""
        return [told["type"] for told in self.heard if told["rule"] == rule]

    def wait_for(self, rule: str, step: str, patience_s: float) -> bool:
        """Whether a step of a rule's alert arrives in time."""
        deadline = time.monotonic() + patience_s
        while step not in self.steps(rule) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return step in self.steps(rule)

    def take(self, headers: Any, body: bytes) -> bool:
        """Take one delivery; False: its signature is not ours."""
        signed = b".".join(
            (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
        )
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        wanted = f"v1,{base64.b64encode(digest).decode()}"
        if not hmac.compare_digest(wanted, headers.get("webhook-signature", "")):
            return False
        told = json.loads(body)
        if all(told["event_id"] != before["event_id"] for before in self.heard):
            self.heard.append(told)
            step = told["type"].removeprefix("Alert").lower()
            self.console.print(
                f"  [bold]webhook[/] {told['rule']} {step}: {told['summary']}", highlight=False
            )
        return True


@contextmanager
def listening_webhook(config: Path | None, console: Console) -> Iterator[Webhook]:
    """A webhook consumer, and the worker that delivers to it."""
    webhook = Webhook(os.urandom(16).hex(), console)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200 if webhook.take(self.headers, body) else 401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing: what was heard is printed already."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environ = {
        **os.environ,
        environment_name("alerting", "webhook_url"): f"http://127.0.0.1:{server.server_port}/",
        environment_name("alerting", "webhook_secret"): webhook.secret,
    }
    options = ["--config", str(config)] if config else []
    command = [sys.executable, "-m", "modeltrail.infra.cli", *options, "worker", "delivery"]
    worker = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        yield webhook
    finally:
        worker.terminate()
        worker.wait()
        server.shutdown()
        server.server_close()
