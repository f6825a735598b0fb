"""Counts that come with pstgen: what is seen together in tens of thousands of photographs, and what is usual in the world."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import msgspec

from pstgen.core import resources
from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput
from pstgen.questions import families, prior_file
from pstgen.questions.prior_file import PriorFile
from pstgen.questions.priors import Tally

NONE = "none"
FORM = ("existence", "given")


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """data_sources/priors/<name>.yaml. counts: pictures that show each category, of `images`.

    together: pictures that show two of them, the rows below the diagonal in the order of counts. excludes: splits whose
    pictures it counts, so that they cannot give items.
    """

    licence: str
    address: str
    excludes: tuple[str, ...]
    images: int
    counts: dict[str, int]
    together: tuple[tuple[int, ...], ...]


def names() -> list[str]:
    """Every base that comes with pstgen."""
    return sorted(file.name.partition(".")[0] for file in (resources.folder("data_sources") / "priors").iterdir())


def read(name: str) -> Base | PriorFile:
    """The counts of that name: of a source of pictures, or a prior as it was saved. Raises BadInput where there are none."""
    if name not in names():
        raise BadInput(f"no counts {name!r} come with pstgen; there are: {', '.join((*names(), NONE))}")
    saved = resources.folder("data_sources") / "priors" / f"{name}.json"
    return prior_file.read(Path(str(saved))) if saved.is_file() else resources.read("data_sources/priors", name, Base)


def check(config: BuildConfig) -> None:
    """Refuse a base that there is not, or that counts the pictures that give the items. Raises BadInput."""
    name, split = config.questions.prior_base or NONE, config.source.split
    if name == NONE:
        return
    base = read(name)
    if isinstance(base, PriorFile):
        counted = base.fitted_on.get("seed") == str(config.seed) and config.source.name == "world"
        what = f"--seed {config.seed}"
    else:
        counted, what = split in base.excludes and not config.source.annotations, f"--split {split}"
    if counted:
        raise BadInput(f"{what}: --prior-base {name} counts its pictures; name another, or --prior-base none")


def mixed(own: Tally, scenes: int, name: str | None) -> Tally:
    """A source's own counts and these, of the categories that the source has: each picture weighs as much as any other.

    scenes: that the own counts rest on; where they are more than these do, they stand alone.
    """
    if not name or name == NONE:
        return own
    base = read(name)
    most = base.scenes if isinstance(base, PriorFile) else base.images
    categories = {about[0] for (family, form, about), _ in own if (family, form) == FORM}
    return own if scenes > most else own + tally(name, categories)


def tally(name: str, categories: Collection[str]) -> Tally:
    """What a source of those categories would have counted in the same pictures: of each two, is one there given the other?"""
    counted: Tally = Counter()
    base = None if name == NONE else read(name)
    if not isinstance(base, Base):
        return base.tally if base else counted
    kinds = list(base.counts)
    for row, kind in enumerate(kinds):
        if kind in categories:
            _add(counted, (kind,), base.counts[kind], base.images, at_all=True)
            for other, both in zip(kinds, base.together[row], strict=False):
                if other in categories:
                    _add(counted, (kind, other), both, base.counts[other])
                    _add(counted, (other, kind), both, base.counts[kind])
    return counted


def _add(counted: Tally, about: tuple[str, ...], yes: int, of: int, *, at_all: bool = False) -> None:
    family, form = FORM
    question = family, form + families.ANYWHERE * at_all, about
    counted[question, "yes"] += yes
    counted[question, "no"] += of - yes
