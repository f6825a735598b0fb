"""A judge's answers through the journal: what is known is not asked, what fails is noted, and verdicts come in the items' order."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from more_itertools import batched

from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Unavailable, Verdict
from pstgen.models.endpoint_limits import LimitReached
from pstgen.models.journal import Journal, Logprobs
from pstgen.models.journal_thread import JournalThread
from pstgen.models.judges import Judge

PARTS = 4  # that a batch is split into when it fails, until it is known which items fail
GIVE_UP = 3  # items that fail one after another, with no answer in between, before no more are asked
QUESTION = 80  # characters of one that an error names

Failure = tuple[str, str]  # question, reason


class Batch(NamedTuple):
    """Items to be asked, by key; none where all of a batch is known."""

    number: int
    unknown: Mapping[str, Item]


class Answered(NamedTuple):
    """What became of a batch. verdicts, failed: by key. hopeless: so much failed that the rest was not tried."""

    number: int
    verdicts: Mapping[str, Logprobs]
    failed: Mapping[str, Failure]
    hopeless: bool = False


Ask = Callable[
    [Iterator[Batch]], Iterator[Answered]
]  # an answer a batch, in any order; batches are taken as there is room


def run(judge: Judge, items: Sequence[Item], config: BuildConfig, ask: Ask) -> Iterator[Verdict]:
    """One verdict an item, in their order. What is asked is kept batch by batch, so that a killed run loses hardly more than one.

    Where items fail, the others are asked nevertheless. Then Unavailable is raised, which names those that failed; the next
    run asks these alone. Raises RuntimeError where a judge does not give one verdict an item, in order.
    """
    with Journal(judge.name, judge.revision) as file, JournalThread(file) as journal:
        asking = _Asking(judge, items, config.judges.batch_size, journal)
        for answered in ask(asking.batches()):
            asking.take(answered)
            yield from asking.ready()
        asking.end()


def run_here(judge: Judge, items: Sequence[Item], config: BuildConfig) -> Iterator[Verdict]:
    """The same in this process, one batch after another; a judge that is not durable answers all items together, and none is kept."""
    if not judge.durable:
        return checked(items, judge.answer(items))
    return run(judge, items, config, lambda batches: (answer(judge, batch) for batch in batches))


def answer(judge: Judge, batch: Batch) -> Answered:
    """Let a judge answer a batch. Where it is Unavailable, the batch is split until it is known for which items.

    Raises LimitReached at once, since every further item would meet the same limit, and whatever else the judge raises.
    """
    verdicts: dict[str, Logprobs] = {}
    failed: dict[str, Failure] = {}
    waiting, in_a_row = deque([list(batch.unknown)] if batch.unknown else []), 0
    while waiting and in_a_row < GIVE_UP:
        keys = waiting.popleft()
        items = [batch.unknown[key] for key in keys]
        try:
            found = [verdict.logprobs for verdict in checked(items, judge.answer(items))]
        except LimitReached:
            raise
        except Unavailable as error:
            if len(keys) == 1:
                failed[keys[0]] = (items[0].question, str(error))
                in_a_row += 1
            else:
                size = -(-len(keys) // PARTS)
                waiting.extendleft(keys[start : start + size] for start in reversed(range(0, len(keys), size)))
        else:
            verdicts.update(zip(keys, found, strict=True))
            in_a_row = 0
    return Answered(batch.number, verdicts, failed, hopeless=in_a_row >= GIVE_UP)


def checked(items: Sequence[Item], verdicts: Iterator[Verdict]) -> Iterator[Verdict]:
    """Pass verdicts on. Raises RuntimeError where they are not one an item, in order, with a number an option or none at all."""
    for item, verdict in zip(items, verdicts, strict=True):
        if verdict.item_id != item.item_id or not fits(item, verdict.logprobs):
            raise RuntimeError(f"{verdict.judge}: not a verdict on {item.item_id}")
        yield verdict


def fits(item: Item, logprobs: Logprobs) -> bool:
    """Is it a verdict on these options, or an invalid answer?"""
    return len(logprobs) in {0, len(item.options)}


@dataclass
class _Slice:
    """Items that follow each other. missing: keys without a verdict so far."""

    items: Sequence[Item]
    keys: Sequence[str]
    verdicts: dict[str, Logprobs]
    missing: set[str]


@dataclass
class _Asking:
    """What waits for answers: only batches that were taken and not yet passed on."""

    judge: Judge
    items: Sequence[Item]
    batch_size: int
    journal: JournalThread
    waiting: deque[_Slice] = field(default_factory=deque)
    asked: dict[int, Mapping[str, Item]] = field(default_factory=dict)  # by number of the batch
    failed: dict[str, Failure] = field(default_factory=dict)
    hopeless: bool = False

    def batches(self) -> Iterator[Batch]:
        """What is neither known nor being asked for, looked up when it is taken."""
        for number, (items, keys, found) in enumerate(self._looked_up()):
            if self.hopeless:
                return
            by_key = dict(zip(keys, items, strict=True))
            known = {key: of for key, of in found.items() if key in by_key and fits(by_key[key], of)}
            self.waiting.append(_Slice(items, keys, known, by_key.keys() - known.keys()))
            running = {key for batch in self.asked.values() for key in batch}
            unknown = {key: item for key, item in by_key.items() if key not in known and key not in running}
            self.asked[number] = unknown
            yield Batch(number, unknown)

    def _looked_up(self) -> Iterator[tuple[Sequence[Item], Sequence[str], dict[str, Logprobs]]]:
        """Items batch by batch, their keys and what is known; meanwhile the next batch is looked up."""
        last: tuple[Sequence[Item], Sequence[str]] | None = None
        for items in batched(self.items, self.batch_size):
            keys = [self.judge.key(item) for item in items]
            known = self.journal.known() if last else {}
            self.journal.look_up(keys)
            if last:
                yield *last, known
            last = items, keys
        if last:
            yield *last, self.journal.known()

    def take(self, answered: Answered) -> None:
        """Keep what was answered. Raises RuntimeError where a batch comes back with other items than it was sent with."""
        sent = self.asked.pop(answered.number)
        back = answered.verdicts.keys() | answered.failed.keys()
        if back - sent.keys() or (sent.keys() - back and not answered.hopeless):
            raise RuntimeError(f"{self.judge.name}: {len(sent)} items were asked, and {len(back)} others came back")
        self.journal.keep(answered.verdicts, answered.failed)
        self.failed.update(answered.failed)
        self.hopeless |= answered.hopeless
        for part in self.waiting:
            for key in part.missing & answered.verdicts.keys():
                part.verdicts[key] = answered.verdicts[key]
                part.missing.remove(key)

    def ready(self) -> Iterator[Verdict]:
        """The verdicts that are next; none any more once an item has failed."""
        if self.failed:
            self.waiting.clear()
        while self.waiting and not self.waiting[0].missing:
            part = self.waiting.popleft()
            for item, key in zip(part.items, part.keys, strict=True):
                yield Verdict(item_id=item.item_id, judge=self.judge.name, logprobs=part.verdicts[key])

    def end(self) -> None:
        """Raise Unavailable, naming it, where anything failed."""
        if not self.failed:
            return
        reasons = list(dict.fromkeys(reason for _, reason in self.failed.values()))
        question = next(iter(self.failed.values()))[0][:QUESTION]
        after = "no more were asked" if self.hopeless else "all others were asked"
        more = f" (and {len(reasons) - 1} other reasons)" * (len(reasons) > 1)
        raise Unavailable(
            f"{reasons[0]}{more}; {self.judge.name} has no verdict on {len(self.failed):,} of {len(self.items):,} items, the first "
            f"{question!r}: {after}, and the same command asks these again (pstgen journal --failed)"
        )
