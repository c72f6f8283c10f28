"""`modeltrail backtest`: which alerts rules would have raised, beside those that were."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.cli.moments import Moment
from modeltrail.infra.config import Settings
from modeltrail.schemas.ids import Micros

if TYPE_CHECKING:
    from modeltrail.infra.cli.backtest_log import BacktestLog, Span
    from modeltrail.schemas.events import AlertState, DriftPolicySet, ThresholdsSet

#: After this much more of the log every window that ends at `--to` is decided.
_DECIDED_MS = 31_000


@click.command("backtest")
@click.argument("rules", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--from", "since", type=Moment(), required=True, help="Alerts raised from then on.")
@click.option(
    "--to", "until", type=Moment(), default="now", show_default=True, help="And up to then."
)
@click.option("--model", default="", help="Only of this model.")
@form_option("table", "json", "csv")
@click.pass_obj
def backtest(
    settings: Settings, rules: Path, since: Micros, until: Micros, model: str, form: str
) -> None:
    """Replay measurements under the rules of a YAML file and compare the alerts.

    Nothing is set and nothing is written. The file's rules hold from before the first measurement;
    models that it does not name keep the rules that they had. Measurements are read from about
    three hours before --from, which is as far back as drift looks.
    """
    from modeltrail.infra.cli.backtest_log import BacktestLog, Span
    from modeltrail.infra.cli.backtest_table import COLUMNS, episodes, rows
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.infra.schema_registry import ConfluentSchemaIds
    from modeltrail.processors.replaying import HORIZON_US
    from modeltrail.schemas.codec import Codec

    if since >= until:
        raise click.UsageError("--from is not before --to")
    drafts = _drafts_in(rules)
    codec = Codec(ConfluentSchemaIds(settings.schema_registry))
    log = BacktestLog(settings.kafka, codec, model)
    span = Span(
        (since - HORIZON_US) // 1000 - _DECIDED_MS,
        until // 1000 + _DECIDED_MS,
    )
    would_be = episodes(_replayed(settings, log, span, drafts), since, until)
    were = episodes(
        (step for step in log.alerts_since(since // 1000) if model in ("", step.model_id)),
        since,
        until,
    )
    write_rows(form, COLUMNS, rows(were, would_be), sys.stdout)


def _drafts_in(rules: Path) -> tuple["ThresholdsSet | DriftPolicySet", ...]:
    from modeltrail.schemas.rules_file import RulesFileInvalid, parse_rules

    try:
        return parse_rules(rules.read_text(encoding="utf-8"))
    except RulesFileInvalid as error:
        lines = str(error).replace("\n", "\n  ")
        raise RulesFileInvalid(f"{rules} cannot be played:\n  {lines}") from error
    except UnicodeDecodeError as error:
        raise RulesFileInvalid(f"{rules} is not text: {error}; write it in UTF-8") from error


def _replayed(
    settings: Settings,
    log: "BacktestLog",
    span: "Span",
    drafts: Sequence["ThresholdsSet | DriftPolicySet"],
) -> Iterator["AlertState"]:
    from modeltrail.processors.backtest import Backtest, under
    from modeltrail.schemas.events import AlertState

    with ExitStack() as opened:
        played = Backtest(
            log.sources(span, settings.processors.sample_capacity, opened),
            under(drafts, log.control()),
            settings.processors.truth_sampling_rate,
            settings.processors.sample_capacity,
        )
        progress = opened.enter_context(
            click.progressbar(
                length=span.end_ms - span.start_ms, label="replaying", file=sys.stderr
            )
        )
        done_ms = span.start_ms
        for reached_ms, facts in played.run():
            yield from (fact for fact in facts if isinstance(fact, AlertState))
            progress.update(max(0, reached_ms - done_ms))
            done_ms = max(done_ms, reached_ms)
