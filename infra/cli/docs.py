"""`modeltrail docs`: folds the card of a model or the report of an experiment out of the log."""

from collections.abc import Callable
from pathlib import Path

import click

from modeltrail.infra.cli.moments import Moment
from modeltrail.infra.config import Settings
from modeltrail.processors.documents.document import Document
from modeltrail.processors.documents.reading import SubjectReader
from modeltrail.schemas.codec import Codec
from modeltrail.schemas.errors import ModeltrailError
from modeltrail.schemas.events import DocumentKind
from modeltrail.schemas.ids import Micros, ModelId, Version

MARKDOWN, HTML = "md", "html"


class NotWritten(ModeltrailError):
    """The document cannot be written there: give another file."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--output",
            "-o",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File to write; its ending .md or .html says the format. Else it is printed.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice([MARKDOWN, HTML]),
            help="Markdown, or one HTML page with its plots inside; the default is md.",
        ),
        click.option(
            "--at",
            "as_of",
            type=Moment(),
            default="now",
            show_default=True,
            help="Moment of the log that it tells of: 2026-07-01T12:00:00Z.",
        ),
        click.option(
            "--keep",
            is_flag=True,
            help="Let the worker put both formats into the artifact store; says where.",
        ),
    ):
        command = option(command)
    return command


@click.group("docs")
def docs() -> None:
    """Write documents in which every number cites its event.

    The same log and the same --at give the same bytes; templates of your own go into
    documents.templates.
    """


@docs.command("model")
@click.argument("model_id")
@click.argument("version", required=False)
@_options
@click.pass_obj
def model(
    settings: Settings,
    model_id: str,
    version: str | None,
    as_of: Micros,
    form: str | None,
    output: Path | None,
    keep: bool,
) -> None:
    """Write the card of a version of a model: by default the one registered last."""
    if keep:
        _keep(settings, DocumentKind.MODEL_CARD, model_id, version, as_of)
        return
    from modeltrail.processors.documents.model_card import model_card

    wanted = Version(version) if version else None
    reader = _reader(settings)
    chosen, facts = reader.of_model(ModelId(model_id), wanted, as_of)
    document = model_card(ModelId(model_id), chosen, facts, as_of, reader.live_hours)
    _write(document, settings, form, output)


@docs.command("experiment")
@click.argument("experiment_id")
@_options
@click.pass_obj
def experiment(
    settings: Settings,
    experiment_id: str,
    as_of: Micros,
    form: str | None,
    output: Path | None,
    keep: bool,
) -> None:
    """Write the report of an experiment, given by its id or by that of one of its runs."""
    if keep:
        _keep(settings, DocumentKind.EXPERIMENT_REPORT, experiment_id, None, as_of)
        return
    from modeltrail.processors.documents.experiment_report import experiment_report

    known, facts = _reader(settings).of_experiment(experiment_id, as_of)
    document = experiment_report(known, facts, as_of)
    _write(document, settings, form, output)


def _keep(
    settings: Settings, kind: DocumentKind, subject: str, version: str | None, as_of: Micros
) -> None:
    from modeltrail.producers.documents import DocumentsClient

    kept = DocumentsClient(settings).keep(kind, subject, version=version, as_of=as_of)
    click.echo(f"{kept.markdown_uri}\n{kept.html_uri}")


def _reader(settings: Settings) -> SubjectReader:
    from modeltrail.infra.schema_registry import ConfluentSchemaIds

    return SubjectReader(settings, Codec(ConfluentSchemaIds(settings.schema_registry)))


def _write(document: Document, settings: Settings, form: str | None, output: Path | None) -> None:
    from modeltrail.processors.documents.rendering import html_of, markdown_of

    templates = Path(settings.documents.templates) if settings.documents.templates else None
    as_html = form == HTML or (form is None and output is not None and output.suffix == ".html")
    text = (html_of if as_html else markdown_of)(document, templates)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotWritten(f"{output} cannot be written ({error.strerror}): give another") from error
    click.echo(f"{output}: {document.citations} numbers cite {len(document.sources)} events")
