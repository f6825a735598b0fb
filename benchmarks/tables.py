"""Tables in Markdown, and their places in the pages: between `<!-- NAME -->` and `<!-- end of NAME -->`."""

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> str:
    """Markdown. left: how many columns hold words; the others hold figures and stand on the right."""
    marks = ["---" if n < left else "---:" for n in range(len(head))]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (head, marks, *rows))


def put(page: Path, name: str, text: str) -> None:
    """Put the text between the page's marks of that name. Ends the program where the page lacks them."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, first, rest = page.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise SystemExit(f"{page}: has no place for the table: a line {begin.strip()}, and after it {end}")
    page.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")


def show(name: str, text: str, page: Path | None) -> None:
    """Print the text, and put it into the page where one is given."""
    print(f"\n{text}", flush=True)
    if page:
        put(page, name, text)


def verdict(holds: object) -> str:
    """Of a goal."""
    return "holds" if holds else "**does not hold**"


def load() -> str:
    """How busy the machine was: a sentence, since times are worth little where others used it too."""
    return f"Load of the machine at the end, over the last minute: {os.getloadavg()[0]:.1f}, of {os.cpu_count()} cores."


def parser(about: str | None) -> argparse.ArgumentParser:
    """Of a script with this docstring that makes a table: with `--write PAGE`."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page, between its marks")
    return made
