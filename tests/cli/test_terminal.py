"""Foreign words are shown and never obeyed; who does not listen, or understands few characters, changes nothing."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.cli import terminal


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\r\nb", r"a\r\nb"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        ("\u2066x\u2069\u200f", r"\u2066x\u2069\u200f"),
        ("name\udcff", r"name\udcff"),
        ("żába\t日本 👩\u200d🚀", "żába\t日本 👩\u200d🚀"),
    ],
)
def test_what_would_command_a_terminal_is_shown_as_an_escape(foreign, shown):
    assert terminal.visible(foreign) == shown


@given(st.text())
def test_what_is_visible_stays_so_and_json_means_the_same(text):
    shown = terminal.visible(text)
    assert terminal.visible(shown) == shown
    assert not terminal.UNSEEN.search(shown)
    written = terminal.visible_json(json.dumps(text, ensure_ascii=False, indent=1))
    assert json.loads(written) == text
    assert not terminal.UNSEEN.search(written.replace("\n", ""))


def run(code, **more):
    program = f"import sys\nfrom pstgen.cli import terminal\nterminal.prepare_streams()\n{code}"
    return subprocess.run([sys.executable, "-c", program], check=False, stderr=subprocess.PIPE, **more)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_nobody_reads_ends_nothing(unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    code = "for n in range(9999): terminal.echo('much ' * 99)\nprint('more')\nsys.exit(41)"
    done = run(code, stdout=writer, env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert (done.returncode, done.stderr) == (41, b"")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_a_stream_cannot_show_is_replaced(encoding):
    done = run("terminal.echo('ż\u00b1')", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip() == {"ascii": b"??", "cp1252": b"?\xb1"}[encoding]


def test_a_stream_that_is_closed_is_none_to_print_to():
    code = "terminal.echo('one'); terminal.echo('two', err=True)"
    program = f"from pstgen.cli import terminal\nterminal.prepare_streams()\n{code}"
    done = subprocess.run(["/bin/sh", "-c", '"$0" -c "$1" >&- 2>&-', sys.executable, program], check=False)
    assert done.returncode == 0
