"""What stands in the pages: fenced blocks, and the commands in them and in running text."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAGES = [
    CHECKOUT / "README.md",
    CHECKOUT / "SECURITY.md",
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    CHECKOUT / "benchmarks" / "gpu" / "README.md",
    CHECKOUT / "pstgen" / "models" / "weights" / "eye" / "README.md",
]
FENCE = re.compile(r"(?P<run><!-- run -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}(pstgen .*)$", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
OPERATORS = {"|", "||", "&&", ";", ";;", ">", ">>", "2>", "&", "then", "do"}
PLACEHOLDER = re.compile(r"[A-Z][A-Z-]*")  # NAME, DIR-OR-HUB-ID
PARTIAL = {"…", "..."}


@dataclass(frozen=True)
class Block:
    """A fenced block. run: a test runs it as it stands."""

    language: str
    text: str
    run: bool


def blocks(page):
    """The fenced blocks of a page."""
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [Block(each["language"], each["text"], each["run"] is not None) for each in found]


def spans(page):
    """Code within running text; a line break in it is a space."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(found.split()) for found in SPAN.findall(text) if "\n\n" not in found]


def typed(text):
    """The commands of a shell block as lists of words: of every program, without comments, one list up to each operator."""
    for line in text.replace("\\\n", " ").splitlines():
        words = []
        for word in [*split(line), ";"]:
            if word in OPERATORS:
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def split(line):
    """The words of a line, operators by themselves."""
    reader = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    reader.whitespace_split = True
    return list(reader)


def commands(page):
    """Every call of pstgen that the page shows: where it stands, the words after `pstgen`, and whether it is whole."""
    text = page.read_text(encoding="utf-8")
    shown = [block.text for block in blocks(page) if block.language in {"sh", "bash", "shell"}]
    shown += INDENTED.findall(FENCE.sub("", text))
    for words in (words for block in shown for words in typed(block)):
        if words[0] == "pstgen" and len(words) > 1:
            yield [word for word in words[1:] if word not in PARTIAL], not PARTIAL & set(words)
    for span in spans(page):
        if span.startswith("pstgen ") and "\N{RIGHTWARDS ARROW}" not in span:
            words = next(typed(span))
            yield [word for word in words[1:] if word not in PARTIAL], False
