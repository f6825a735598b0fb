"""What `pstgen inspect` prints."""

from rich.table import Table

from pstgen.cli.console import Console, empty_table, styled
from pstgen.cli.inspection import Inspection

KINDS = 12  # categories that are shown, those of most scenes
REASONS = 6  # why records were left out


def show(found: Inspection) -> None:
    """What is there, how it is spoken of, and what can be asked of it."""
    console = Console()
    console.print(styled((found.source, "bold")), soft_wrap=True)
    for line in _summary(found):
        console.print(line, soft_wrap=True)
    console.print(_kinds(found))
    console.print(_families(found))
    for reason, n in found.left_out[:REASONS]:
        console.print(f"{n:,} {reason}", soft_wrap=True)
    console.print(f"{found.pairs:,} candidate pairs; a build keeps those whose words mislead every blind judge.")


def _summary(found: Inspection) -> list[str]:
    scenes = ", ".join(f"{n:,} {what}" for what, n in found.scenes.items())
    small, large = ("x".join(map(str, size)) for size in found.sizes)
    masks, joints = _share(found.masks, found.things), _share(found.joints, found.things)
    return [
        f"pictures   {scenes}; {small} to {large} pixels",
        f"things     {found.things:,} of {len(found.kinds):,} categories: {masks} with a mask, {joints} with joints",
        f"licences   {', '.join(f'{n:,} {label}' for label, n in found.licences)}",
        f"captions   of {_share(found.captioned, found.scenes['for items'])} of the pictures for items",
    ]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _kinds(found: Inspection) -> Table:
    table = empty_table("category", "spoken of as", gap=1)
    table.add_column("things", justify="right")
    table.add_column("pictures", justify="right")
    for kind in found.kinds[:KINDS]:
        spoken = kind.spoken if kind.is_coco else f"{kind.spoken} (not one of COCO's: no synonyms are known)"
        table.add_row(kind.category, spoken, f"{kind.things:,}", f"{kind.scenes:,}")
    if rest := found.kinds[KINDS:]:
        table.add_row(f"({len(rest):,} more: --json)", "", f"{sum(k.things for k in rest):,}", "")
    return table


def _families(found: Inspection) -> Table:
    table = empty_table("family", gap=1)
    table.add_column("known facts", justify="right")
    table.add_column("candidate pairs", justify="right")
    table.add_column("why it knows no more")
    for family in found.families:
        why = "; ".join(f"{n:,} {reason}" for reason, n in family.unknown) or (
            "" if family.known else "nothing to ask of"
        )
        table.add_row(family.name, f"{family.known:,}", f"{family.pairs:,}", why)
    return table
