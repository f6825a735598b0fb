"""A plug-in is a module in one of the plug-in folders. Its name is its file's name; nothing lists it twice."""

from functools import cache
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Any

from pstgen.core.records import BadInput

FOLDERS = {  # of every kind of plug-in, in the order of the data
    "sources": "pstgen.scenes.sources",
    "formats": "pstgen.scenes.formats",
    "families": "pstgen.questions.families",
    "priors": "pstgen.questions.priors",
    "twins": "pstgen.pairs.twins",
    "judges": "pstgen.models.judges",
    "engines": "pstgen.models.engines",
    "targets": "pstgen.dataset.targets",
    "exporters": "pstgen.dataset.exporters",
    "checks": "pstgen.verification.checks",
    "attackers": "pstgen.verification.attackers",
    "readers": "pstgen.verification.readers",
    "systems": "pstgen.training.systems",
    "metrics": "pstgen.evaluation.metrics",
}


@cache
def names(folder: str) -> tuple[str, ...]:
    """What may be typed after `--family`, `--source`, …; nothing is imported to find out.

    >>> "relation" in names("families")
    True
    """
    own = (module.name for module in iter_modules(import_module(FOLDERS[folder]).__path__))
    foreign = (point.name for point in metadata.entry_points(group=f"pstgen.{folder}"))
    return tuple(sorted({*own, *foreign}))


@cache
def load(folder: str, name: str) -> Any:
    """Import one plug-in, ours or a third party's (entry point group `pstgen.<folder>`). Raises BadInput like `known`."""
    known(folder, name)
    for point in metadata.entry_points(group=f"pstgen.{folder}", name=name):
        return point.load()
    return import_module(f"{FOLDERS[folder]}.{name}")


def known(folder: str, name: str) -> None:
    """Raise BadInput, naming what there is, where there is no such plug-in; nothing is imported."""
    if name not in names(folder):
        raise BadInput(f"no {name!r} in {folder}; there are: {', '.join(names(folder))}")
