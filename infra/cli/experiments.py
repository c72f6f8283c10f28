"""`modeltrail experiments`: list runs, show one, compare some, plot their curves."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from modeltrail.infra.cli.form import form_option
from modeltrail.infra.cli.pairs import Pair
from modeltrail.infra.clock import MICROS, SystemClock
from modeltrail.infra.config import Settings

_STATUSES = ("running", "lost", "finished", "failed", "killed")
_CURVE_POINTS = 48
_MOST_RUNS = 50


_run_ids = click.argument("run_ids", nargs=-1)
_experiment = click.option("--experiment", default="", help="Also the newest runs of this one.")
_limit = click.option(
    "--limit", default=_MOST_RUNS, show_default=True, help="Most runs.", type=click.IntRange(1)
)


@click.group("experiments")
def experiments() -> None:
    """List runs of experiments, show or compare some, plot their metrics."""


@experiments.command("list")
@click.option("--experiment", default="", help="Only runs of this one.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only runs in this state.")
@click.option("--text", default="", help="Only where an id, a parameter or a tag has this part.")
@click.option("--param", type=Pair(value_needed=True), help="Only runs with this parameter.")
@click.option("--tag", type=Pair(value_needed=False), help="Only runs with this tag.")
@_limit
@form_option("table", "json", "csv")
@click.pass_obj
def list_runs(
    settings: Settings,
    experiment: str,
    status: str | None,
    text: str,
    param: tuple[str, str] | None,
    tag: tuple[str, str | None] | None,
    limit: int,
    form: str,
) -> None:
    """List runs with their final metrics, newest first."""
    from modeltrail.infra.cli.experiments_tables import LIST_COLUMNS, list_row
    from modeltrail.infra.cli.reading import reading
    from modeltrail.infra.cli.rows import write_rows
    from modeltrail.sinks.queries.runs import search_runs, summaries

    with reading(settings.clickhouse) as client:
        runs = search_runs(
            client,
            experiment_id=experiment or None,
            status=status.upper() if status else None,
            text=text,
            param=param,
            tag=tag,
            limit=limit,
        )
        metrics = summaries(client, [run.run_id for run in runs])
    now = _now()
    rows = [
        list_row(
            run,
            {each.name: each.final for each in metrics.get(run.run_id, [])},
            now,
            as_json=form == "json",
        )
        for run in runs
    ]
    write_rows(form, LIST_COLUMNS, rows, sys.stdout)


@experiments.command("show")
@click.argument("run_id")
@form_option("table", "json")
@click.pass_obj
def show(settings: Settings, run_id: str, form: str) -> None:
    """Show one run: parameters, tags, environment, and its metrics with their curves."""
    from modeltrail.infra.cli.experiments_data import chosen_runs
    from modeltrail.infra.cli.experiments_tables import run_details, show_run
    from modeltrail.infra.cli.reading import reading
    from modeltrail.infra.cli.rows import write_object
    from modeltrail.sinks.queries.metric_history import metric_history
    from modeltrail.sinks.queries.runs import summaries

    with reading(settings.clickhouse) as client:
        [run] = chosen_runs(client, [run_id], "", 1)
        metrics = summaries(client, [run_id]).get(run_id, [])
        curves = metric_history(client, run_id, most_points=_CURVE_POINTS)
    if form == "json":
        write_object(run_details(run, metrics, _now()), sys.stdout)
    else:
        show_run(run, metrics, curves, _now())


@experiments.command("compare")
@_run_ids
@_experiment
@_limit
@click.option("--higher", multiple=True, help="A metric that is better the higher it is.")
@click.option("--lower", multiple=True, help="A metric that is better the lower it is.")
@form_option("table", "json")
@click.pass_obj
def compare_runs(
    settings: Settings,
    run_ids: tuple[str, ...],
    experiment: str,
    limit: int,
    higher: tuple[str, ...],
    lower: tuple[str, ...],
    form: str,
) -> None:
    """Compare runs: the settings that differ, final and best metrics, means of repeated runs."""
    from modeltrail.infra.cli.experiments_data import chosen_runs, comparisons, directions
    from modeltrail.infra.cli.experiments_tables import comparison_json, show_comparison
    from modeltrail.infra.cli.reading import reading
    from modeltrail.infra.cli.rows import write_object
    from modeltrail.producers.experiments.comparing import compare

    with reading(settings.clickhouse) as client:
        rows = chosen_runs(client, run_ids, experiment, limit)
        runs = comparisons(client, rows, _now(), directions(higher, lower))
    comparison = compare(runs)
    if form == "json":
        write_object(comparison_json(comparison), sys.stdout)
    else:
        show_comparison(comparison)


@experiments.command("plot")
@_run_ids
@_experiment
@_limit
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write; .png or .svg.",
)
@click.option("--metric", "metrics", multiple=True, help="Only this metric.")
@click.option("--parallel", is_flag=True, help="Settings and final metrics, a line a run.")
@click.pass_obj
def plot(
    settings: Settings,
    run_ids: tuple[str, ...],
    experiment: str,
    limit: int,
    output: Path,
    metrics: tuple[str, ...],
    parallel: bool,
) -> None:
    """Plot the metrics of runs over their steps, or their settings beside their final metrics."""
    from modeltrail.infra.cli.experiments_data import chosen_runs, comparisons
    from modeltrail.infra.cli.experiments_parallel import draw_parallel
    from modeltrail.infra.cli.experiments_plot import draw_curves, require_plots, save
    from modeltrail.infra.cli.reading import reading
    from modeltrail.sinks.queries.metric_history import metric_history

    require_plots(output)
    with reading(settings.clickhouse) as client:
        rows = chosen_runs(client, run_ids, experiment, limit)
        if parallel:
            runs = list(comparisons(client, rows, _now()).values())
            figure = draw_parallel(runs, metrics)
        else:
            curves = {
                row.run_id: metric_history(client, row.run_id, metrics or None) for row in rows
            }
            figure = draw_curves(curves)
    save(figure, output)
    click.echo(f"wrote {output}")


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock().now_us() / MICROS, UTC)
