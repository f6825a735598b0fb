"""Counts that come with pstgen: which things are in a picture together, in tens of thousands of annotated photographs."""

from collections import Counter
from collections.abc import Collection

import msgspec

from pstgen.core import resources
from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput
from pstgen.questions import families
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
    folder = resources.folder("data_sources") / "priors"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def read(name: str) -> Base:
    """The counts of that name. Raises BadInput where there are none."""
    if name not in names():
        raise BadInput(f"no counts {name!r} come with pstgen; there are: {', '.join((*names(), NONE))}")
    return resources.read("data_sources/priors", name, Base)


def check(config: BuildConfig) -> None:
    """Refuse a base that there is not, or that counts the pictures that give the items. Raises BadInput."""
    name, split = config.questions.prior_base or NONE, config.source.split
    if name != NONE and split in read(name).excludes and not config.source.annotations:
        raise BadInput(
            f"--split {split}: --prior-base {name} counts its pictures; name another split, or --prior-base none"
        )


def tally(name: str, categories: Collection[str]) -> Tally:
    """What a source of those categories would have counted in the same pictures: of each two, is one there given the other?"""
    if name == NONE:
        return Counter()
    base = read(name)
    kinds = list(base.counts)
    counted: Tally = Counter()
    for row, kind in enumerate(kinds):
        if kind in categories:
            _add(counted, (kind,), base.counts[kind], base.images, at_all=True)
            for other, both in zip(kinds, base.together[row], strict=False):
                if other in categories:
                    _add(counted, (kind, other), both, base.counts[other])
                    _add(counted, (other, kind), both, base.counts[kind])
    return counted


def mixed(own: Tally, scenes: int, name: str | None) -> Tally:
    """A source's own counts and these, of the categories that the source has: each picture weighs as much as any other.

    scenes: that the own counts rest on; where they are more than these do, they stand alone.
    """
    if not name or name == NONE or scenes > read(name).images:
        return own
    categories = {about[0] for (family, form, about), _ in own if (family, form) == FORM}
    return own + tally(name, categories)


def _add(counted: Tally, about: tuple[str, ...], yes: int, of: int, *, at_all: bool = False) -> None:
    family, form = FORM
    question = family, form + families.ANYWHERE * at_all, about
    counted[question, "yes"] += yes
    counted[question, "no"] += of - yes
