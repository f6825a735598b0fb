"""Pages and cards from Jinja templates, each a `*.html.jinja` or `*.md.jinja` beside the module that renders it."""

from base64 import b64encode
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


class Tile(NamedTuple):
    """A figure in large print, and what it says in a few words."""

    figure: str
    text: str


class Bar(NamedTuple):
    """A line of a chart: a share with its bounds, each 0 to 1, whether it is as it should be, and a note."""

    name: str
    share: float
    low: float
    high: float
    good: bool
    note: str = ""


def render(template: str, /, **values: object) -> str:
    """Render a template, which is named by its path inside the package.

    In HTML every value is escaped; a half of a character, as names of files may have, becomes "?". Raises UndefinedError where
    the template uses a value that it was not given.
    """
    return _environment().get_template(template).render(values).encode(errors="replace").decode()


def data_uri(image: bytes, kind: str) -> str:
    """An image as an address that holds all its bytes, so that the page loads nothing. kind: "png", "jpeg" or "svg+xml".

    >>> data_uri(b"GIF", "png")
    'data:image/png;base64,R0lG'
    """
    return f"data:image/{kind};base64,{b64encode(image).decode()}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pstgen", ""),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
