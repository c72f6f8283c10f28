"""Lays a document out: Markdown by a template that users can replace, HTML that needs no server."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from modeltrail.processors.documents.document import Document, Figure
from modeltrail.processors.documents.figures import figure_block, svg_of
from modeltrail.schemas.errors import ModeltrailError

_EVENT_CELL = re.compile(r"<td>event-(\d+)</td>")
_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_FIGURE = "figure "


class TemplateFailed(ModeltrailError):
    """A template cannot be used: correct the file that the error names."""


def markdown_of(document: Document, templates: Path | None = None) -> str:
    """The document as Markdown with a YAML head.

    Args:
        document: what to lay out.
        templates: a folder whose `model_card.md.j2` and `experiment_report.md.j2` come first;
            in HTML its `page.html.j2` too.

    Raises:
        TemplateFailed: a template is missing, wrong, or names a part that there is none of.
    """
    values: dict[str, Any] = {
        "title": document.title,
        "as_of": document.as_of,
        "sources": document.sources,
        "head": _yaml(document.head),
        "figures": {
            name: f"{figure_block(each)}\n\n{each.caption}"
            for name, each in document.figures.items()
        },
        **document.parts,
    }
    text = _rendered(_environment(templates), f"{document.template}.md.j2", values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def html_of(document: Document, templates: Path | None = None) -> str:
    """The same as one HTML page: styles and drawings inside, no script, nothing to load.

    Raises:
        TemplateFailed: as `markdown_of`.
        ConfigError: there are figures, and matplotlib is not installed.
    """
    body = _HEAD.sub("", markdown_of(document, templates))
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence_rule(document.figures))
    content = _EVENT_CELL.sub(r'<td id="event-\1">\1</td>', parser.render(body))
    environment = _environment(templates, autoescape=True)
    return _rendered(environment, "page.html.j2", {"title": document.title, "content": content})


def _rendered(environment: Environment, name: str, values: Mapping[str, Any]) -> str:
    try:
        return environment.get_template(name).render(values)
    except Exception as error:
        # People write templates, and these may do anything: divide by zero, sort what has no order.
        said = f"{type(error).__name__}: {error}"
        raise TemplateFailed(f"{name} cannot be used ({said}): correct the template") from error


def _fence_rule(figures: Mapping[str, Figure]) -> Any:
    def fence(self: RendererHTML, tokens: list[Token], index: int, options: Any, env: Any) -> str:
        info = tokens[index].info
        name = info.removeprefix(_FIGURE)
        if info.startswith(_FIGURE) and name in figures:
            return f"<figure>{svg_of(figures[name])}</figure>\n"
        return self.fence(tokens, index, options, env)

    return fence


def _environment(templates: Path | None, *, autoescape: bool = False) -> Environment:
    if templates is not None and not templates.is_dir():
        raise TemplateFailed(f"{templates} is no folder: correct documents.templates")
    own = PackageLoader("modeltrail.processors.documents")
    loaders = [FileSystemLoader(templates), own] if templates else [own]
    return Environment(
        loader=ChoiceLoader(loaders),
        autoescape=autoescape,  # noqa: S701 - Markdown is no HTML; the page escapes.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _yaml(head: Mapping[str, Any]) -> str:
    if not head:
        return ""
    text: str = yaml.safe_dump(dict(head), sort_keys=True, allow_unicode=True, width=100)
    return f"---\n{text}---"
