"""Which architectures are scored right, and by which road: each tiny model of random weights is loaded and checked.

python benchmarks/architectures.py --write docs/models.md
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import tables

TESTS = Path(__file__).parents[1] / "tests"


@click.command()
@click.option("--write", type=click.Path(path_type=Path), help="Put the table into this page, between its marks.")
def main(write):
    """Print a table: architecture, road with an image and without, and the largest difference to its own `generate`."""
    sys.path.insert(0, str(TESTS))
    import tiny_vlms

    lines = ["| architecture | with an image | without | differs from `generate` by, nats |", "|---|---|---|---:|"]
    with tempfile.TemporaryDirectory() as place:
        lines += [_row(name, tiny_vlms.build(name, Path(place) / name)) for name in sorted(tiny_vlms.ARCHITECTURES)]
    table = "\n".join(lines)
    tables.show("architectures", table, write)


def _row(name, folder):
    from pstgen.core.records import Unavailable
    from pstgen.models.huggingface import Model

    try:
        found = Model(str(folder), "cpu", "text" if name.startswith("lm_") else "image-text-to-text").checked
    except Unavailable as error:
        why = str(error).removeprefix(f"{folder}: ").partition(";")[0].partition(": ")[0]
        return f"| {name} | refused: {why} | | |"
    return f"| {name} | {found.seeing or ''} | {found.blind} | {found.difference:.0e} |"


if __name__ == "__main__":
    main()
