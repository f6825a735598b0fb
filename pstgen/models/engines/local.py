"""In this process, one batch after another, with a journal for judges whose work is worth keeping."""

from collections.abc import Iterator, Sequence

from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.models import journal
from pstgen.models.journal import Journal
from pstgen.models.judges import Judge


def run(judge: Judge, items: Sequence[Item], config: BuildConfig, /) -> Iterator[Verdict]:
    """Judge in batches; verdicts of a killed run that are in the journal are not asked for again.

    Raises RuntimeError where a judge does not give one verdict an item, in order.
    """
    if not judge.durable:
        yield from _checked(items, judge.answer(items))
        return
    verdicts = Journal(journal.path(judge.name, judge.revision))
    try:
        for start in range(0, len(items), config.judges.batch_size):
            yield from _batch(judge, items[start : start + config.judges.batch_size], verdicts)
    finally:
        verdicts.close()


def _batch(judge: Judge, items: Sequence[Item], verdicts: Journal) -> Iterator[Verdict]:
    keys = [judge.key(item) for item in items]
    new = {key: item for key, item in zip(keys, items, strict=True) if key not in verdicts.known}
    for key, verdict in zip(new, _checked(list(new.values()), judge.answer(list(new.values()))), strict=True):
        verdicts.add(key, verdict.logprobs)
    for key, item in zip(keys, items, strict=True):
        yield Verdict(item_id=item.item_id, judge=judge.name, logprobs=verdicts.known[key])


def _checked(items: Sequence[Item], verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    for item, verdict in zip(items, verdicts, strict=True):
        if verdict.item_id != item.item_id or len(verdict.logprobs) not in {0, len(item.options)}:
            raise RuntimeError(f"{verdict.judge}: not a verdict on {item.item_id}")
        yield verdict
