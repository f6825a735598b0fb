"""One file, one way to run a judge over many items. An engine *runs*."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.models.judges import Judge


class Engine(Protocol):
    """What a module in this folder defines."""

    def run(self, judge: Judge, items: Sequence[Item], config: BuildConfig, /) -> Iterator[Verdict]:
        """One verdict an item, in their order; as many go out as came in; log-probabilities are () where a judge's answer is invalid."""
        ...


def load(name: str) -> Engine:
    """The engine of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Engine = plugins.load("engines", name)
    return plugin


def check(config: BuildConfig) -> None:
    """Refuse, before any work, an engine that cannot run here; one may define `check(config)` for that. Raises what it raises."""
    refuse = getattr(load(config.judges.engine), "check", None)
    if refuse:
        refuse(config)
