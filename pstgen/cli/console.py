"""Tables and coloured lines: no word of anybody else is taken for markup, an emoji or a command to the terminal."""

from typing import Any

from rich import console
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from pstgen.cli.terminal import visible, visible_lines


class Console(console.Console):
    """Prints texts as they are; what is to be coloured comes from `styled`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Every text on its way to the terminal, cells of tables too."""
        return super().render_str(visible_lines(text), **options)


def styled(*parts: str | tuple[str, str]) -> Text:
    """One line, of texts and of pairs of a text and its style."""
    return Text.assemble(*(visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts))


def empty_table(*heads: str, title: str | None = None, gap: int = 0) -> Table:
    """An empty table in the one style that all have; narrow, so that it fits into 80 columns."""
    return Table(*heads, title=title, box=SIMPLE, padding=(0, gap, 0, 0), show_edge=False)
