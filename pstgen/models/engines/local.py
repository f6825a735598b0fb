"""In this process, one batch after another, with a journal for judges whose work is worth keeping."""

from collections.abc import Iterator, Sequence

from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.models import answering
from pstgen.models.judges import Judge


def run(judge: Judge, items: Sequence[Item], config: BuildConfig, /) -> Iterator[Verdict]:
    """Judge in batches; what the journal has is not asked for again.

    Raises Unavailable in the end where items failed, which it names, and RuntimeError where a judge does not give one
    verdict an item, in order.
    """
    yield from answering.run_here(judge, items, config)
