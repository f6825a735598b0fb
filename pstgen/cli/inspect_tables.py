"""What `pstgen inspect` prints."""

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pstgen.cli.inspection import Inspection

KINDS = 12  # categories that are shown, those of most scenes
REASONS = 6  # why records were left out


def show(found: Inspection) -> None:
    """What is there, how it is spoken of, and what can be asked of it."""
    console = Console(highlight=False)
    console.print(f"[bold]{found.source}[/bold]", soft_wrap=True)
    for line in _summary(found):
        console.print(line, markup=False, soft_wrap=True)
    console.print(_kinds(found))
    console.print(_families(found))
    for reason, n in found.left_out[:REASONS]:
        console.print(f"{n:,} {reason}", markup=False, soft_wrap=True)
    console.print(
        f"{found.pairs:,} candidate pairs; a build keeps those whose words mislead every blind judge.", markup=False
    )


def _summary(found: Inspection) -> list[str]:
    scenes = ", ".join(f"{n:,} {what}" for what, n in found.scenes.items())
    small, large = ("x".join(map(str, size)) for size in found.sizes)
    masks, joints = _share(found.masks, found.things), _share(found.joints, found.things)
    return [
        f"pictures   {scenes}; {small} to {large} pixels",
        f"things     {found.things:,} of {len(found.kinds):,} categories: {masks} with a mask, {joints} with joints",
        f"captions   of {_share(found.captioned, found.scenes['for items'])} of the pictures for items",
    ]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _kinds(found: Inspection) -> Table:
    table = Table("category", "spoken of as", box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("things", justify="right")
    table.add_column("pictures", justify="right")
    for kind in found.kinds[:KINDS]:
        spoken = kind.spoken if kind.is_coco else f"{kind.spoken} (not one of COCO's: no synonyms are known)"
        table.add_row(Text(kind.category), Text(spoken), f"{kind.things:,}", f"{kind.scenes:,}")
    if rest := found.kinds[KINDS:]:
        table.add_row(f"({len(rest):,} more: --json)", "", f"{sum(k.things for k in rest):,}", "")
    return table


def _families(found: Inspection) -> Table:
    table = Table("family", box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("known facts", justify="right")
    table.add_column("candidate pairs", justify="right")
    table.add_column("why it knows no more")
    for family in found.families:
        why = "; ".join(f"{n:,} {reason}" for reason, n in family.unknown) or (
            "" if family.known else "nothing to ask of"
        )
        table.add_row(family.name, f"{family.known:,}", f"{family.pairs:,}", Text(why))
    return table
