"""Runs a page: its fenced blocks and indented commands, one after the other, in the order in which they stand."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pages

PIECE = re.compile(rf"{pages.FENCE.pattern}|^ {{4}}(?P<line>pstgen [^\n]*)$", pages.FENCE.flags)
SHELLS = {"sh", "bash", "shell"}
LIMIT = 1800  # seconds a piece may take
PROGRAM = '''#!{python}
"""`pstgen`, with the options that make it small; notes what was typed and how it ended."""
import json
import sys
from pathlib import Path

ADDED = {added!r}
NOTES = Path({notes!r})


def main():
    from pstgen.cli import main as pstgen

    typed = " ".join(sys.argv[1:])
    for words, options in ADDED:
        if all(f" {{word}} " in f" {{typed}} " for word in words.split(" ... ")):
            for option, *value in options:
                if option not in sys.argv:
                    sys.argv += [option, *value]
    code = 1
    try:
        pstgen()
    except SystemExit as end:
        code = end.code or 0
        raise
    finally:
        with NOTES.open("a") as notes:
            notes.write(json.dumps([typed, code]) + "\\n")


if __name__ == "__main__":  # worker processes import this file
    main()
'''


@dataclass(frozen=True)
class Piece:
    """A block of a page, or an indented command."""

    language: str
    text: str


@dataclass(frozen=True)
class Shell:
    """Where a page is run. environment: what is set beside the machine's own. left_out: beginnings of lines that are not run."""

    folder: Path
    replaced: dict = field(default_factory=dict)
    added: dict = field(default_factory=dict)
    left_out: tuple = ()
    environment: dict = field(default_factory=dict)

    @property
    def bin(self):
        """The folder of the programs."""
        return self.folder.parent / "bin"


def pieces(page):
    """What a page shows to be run: shell, Python, and indented commands."""
    for found in PIECE.finditer(page.read_text(encoding="utf-8")):
        if found["line"]:
            yield Piece("sh", found["line"] + "\n")
        elif found["language"] in SHELLS | {"python"}:
            yield Piece("sh" if found["language"] in SHELLS else "python", found["text"])


def lines(piece, left_out):
    """The lines of a piece that are run."""
    return [line for line in piece.text.splitlines() if not line.startswith(left_out)]


def as_run(piece, shell):
    """The text of a piece with what is replaced, and without what is left out."""
    text = "\n".join([*lines(piece, shell.left_out), ""])
    for printed, instead in shell.replaced.items():
        text = text.replace(printed, instead)
    return text


def install(shell):
    """Put `pstgen` where the shell finds it."""
    shell.bin.mkdir(exist_ok=True)
    options = [
        (words, [option.split() for option in re.split(r" (?=--)", given)]) for words, given in shell.added.items()
    ]
    program = shell.bin / "pstgen"
    program.write_text(PROGRAM.format(python=sys.executable, added=options, notes=str(notes(shell))))
    program.chmod(0o755)


def notes(shell):
    """The file in which every call of pstgen is noted."""
    return shell.bin / "notes.jsonl"


def run(piece, shell):
    """What was printed, and the calls of pstgen with their exit codes. Fails where a program fails or a command did not run."""
    text = as_run(piece, shell)
    program = ["sh", "-c", text] if piece.language == "sh" else [sys.executable, "-c", text]
    notes(shell).write_text("")
    environment = os.environ | {"PATH": f"{shell.bin}{os.pathsep}{os.environ['PATH']}"} | shell.environment
    done = subprocess.run(
        program, cwd=shell.folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    calls = [tuple(json.loads(line)) for line in notes(shell).read_text().splitlines()]
    if piece.language == "python":
        assert done.returncode == 0, done.stderr
    else:
        shown = [words for words in pages.typed(text) if words[0] == "pstgen"]
        assert len(calls) >= len(shown), (text, calls, done.stderr)
    return done.stdout + done.stderr, calls
