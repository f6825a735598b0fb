"""No word of anybody else is taken for markup, an emoji or a command to the terminal."""

import io

import pytest

from pstgen.cli.console import Console, empty_table, styled

FOREIGN = ["[/bold]dog", "[red]cat[/red]", ":smile:", "[link=http://x]x[/link]", "\x1b[2Jx", "a\u202eb", "\x07"]


def printed(thing, **more):
    stream = io.StringIO()
    Console(file=stream, width=80, **more).print(thing)
    return stream.getvalue()


@pytest.mark.parametrize("word", FOREIGN)
def test_a_word_is_printed_as_it_is_alone_and_in_a_table(word):
    shown = word.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e").replace("\x07", r"\x07")
    table = empty_table("head", word, title=word)
    table.add_row("name", word)
    table.add_row("styled", styled((word, "bold")))
    for output in (printed(word), printed(styled("x ", (word, "red"), "y"))):
        assert shown in output
    assert printed(table).count(shown) == 4
    assert "\x1b" not in printed(table)


def test_styles_are_ours_alone():
    assert printed(styled(("x\x1b[0m", "bold")), force_terminal=True, color_system="standard").startswith(
        "\x1b[1mx\\x1b[0m\x1b[0m"
    )
