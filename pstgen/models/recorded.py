"""Verdicts of models that one run hands to another: shards of a build collect them, their merge reads them."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from more_itertools import batched

from pstgen.core.records import BadInput, Item, Verdict
from pstgen.models.judges import Judge

BATCH = 1024  # items, of which what is not known is asked together

Name = tuple[str, str]  # of a judge, and its revision
Known = Mapping[Name, dict[str, tuple[float, ...]]]  # by key, the log-probability of every option


@dataclass
class Recorded:
    """What is known of models' verdicts. new: how many had to be asked for."""

    known: defaultdict[Name, dict[str, tuple[float, ...]]] = field(default_factory=lambda: defaultdict(dict))
    new: int = 0

    def answer(
        self, judge: Judge, items: Sequence[Item], ask: Callable[[Judge, Sequence[Item]], Iterator[Verdict]]
    ) -> Iterator[Verdict]:
        """One verdict an item, in their order: what is known, and what a durable judge is asked, which is known from then on."""
        known = self.known[judge.name, judge.revision]
        for batch in batched(items, BATCH):
            keys = [judge.key(item) for item in batch]
            unknown = {key: item for key, item in zip(keys, batch, strict=True) if key not in known}
            verdicts = ask(judge, list(unknown.values()))
            known |= {key: verdict.logprobs for key, verdict in zip(unknown, verdicts, strict=True)}
            self.new += len(unknown)
            for key, item in zip(keys, batch, strict=True):
                if len(known[key]) not in {0, len(item.options)}:
                    raise BadInput(f"{judge.name}: what is recorded of {item.question!r} is no verdict on its options")
                yield Verdict(item_id=item.item_id, judge=judge.name, logprobs=known[key])
