"""One file, one kind of judge. A judge *answers*."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.models import resume
from pstgen.questions.priors import Expectation


class Judge(Protocol):
    """Something that answers items.

    name: as it stands in scores.parquet. revision: what exactly answered (version, sha256 of weights).
    sees: does it look at the item's own image? If not, it is a baseline.
    durable: does its verdict on an item depend on that item alone? Then `key` says on what, and it is worth keeping.
    """

    name: str
    revision: str
    sees: bool
    durable: bool

    def key(self, item: Item, /) -> str:
        """A hash of all that the verdict depends on; asked of durable judges only."""
        ...

    def learn(self, examples: Sequence[Item], images: Sequence[str], prior: Expectation, /) -> "Judge | None":
        """Return the judge that has learnt what it may know of the source; None where it can do nothing without that.

        examples: known facts as items, of scenes that give none to the dataset; images: files of such scenes; prior: what was
        counted of them.
        """
        ...

    def answer(self, items: Sequence[Item], /) -> Iterator[Verdict]:
        """One verdict an item, in their order."""
        ...


class Opener(Protocol):
    """What a module in this folder defines."""

    def open(self, config: BuildConfig, /) -> Sequence[Judge]:
        """Load the judges of this kind, before any scene is read; several, where one model looks in several ways.

        Raises BadInput where an option is missing, Unavailable where a model does not load.
        """
        ...


def load(name: str) -> Opener:
    """The kind of judge of that name, ours or a third party's. Raises BadInput where there is none."""
    plugin: Opener = plugins.load("judges", name)
    return plugin


def open_all(config: BuildConfig) -> list[Judge]:
    """Load every judge of a run, in the order of its names, and bind the journal to the run.

    Raises what their `open` raises, and BadInput under `--resume always` where there is nothing to resume.
    """
    opened = [judge for name in config.judges.names for judge in load(name).open(config)]
    resume.begin(config, [(judge.name, judge.revision) for judge in opened if judge.durable])
    return opened
