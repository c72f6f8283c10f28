"""`modeltrail rules`: sets thresholds and drift policies from a file, and shows what is set."""

from pathlib import Path

import click

from modeltrail.infra.config import Settings


@click.group("rules")
def rules() -> None:
    """Set thresholds and drift policies from a YAML file, or show what is set."""


@rules.command("set")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--by", default="", help="Who sets them.")
@click.option("--check", is_flag=True, help="Only check the file; nothing is set.")
@click.pass_obj
def set_rules(settings: Settings, file: Path, by: str, check: bool) -> None:
    """Replace the rules of the models that the file names; others keep theirs.

    The whole file is checked first. Rules take effect without a restart.
    """
    from modeltrail.producers.rules import RulesClient
    from modeltrail.schemas.events import ThresholdsSet
    from modeltrail.schemas.rules_file import RulesFileInvalid, parse_rules

    try:
        drafts = parse_rules(file.read_text())
    except RulesFileInvalid as error:
        lines = str(error).replace("\n", "\n  ")
        raise RulesFileInvalid(f"{file} cannot be set, nothing was:\n  {lines}") from error
    except UnicodeDecodeError as error:
        raise RulesFileInvalid(f"{file} is not text: {error}; write it in UTF-8") from error
    if not check:
        RulesClient(settings).set_all(drafts, by)
    for draft in drafts:
        what = "drift policy"
        if isinstance(draft, ThresholdsSet):
            what = "1 rule" if len(draft.rules) == 1 else f"{len(draft.rules)} rules"
        click.echo(f"{draft.model_id}: {what} {'can be set' if check else 'set'}")


@rules.command("show")
@click.option(
    "--model", default="", help="Only what was set for this model, or * for the defaults."
)
@click.pass_obj
def show(settings: Settings, model: str) -> None:
    """Print what is set as the YAML that `modeltrail rules set` reads."""
    from modeltrail.producers.rules import RulesClient
    from modeltrail.schemas.rules_text import rules_text

    found = RulesClient(settings).view().in_force(model)
    text = rules_text(found)
    click.echo(text.rstrip() if found else f"# nothing is set{f' for {model}' if model else ''}")
