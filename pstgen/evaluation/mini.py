"""A mini of a stress test: the pairs that tell models apart best, to be answered in a fraction of the time."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import combinations
from math import sqrt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pstgen.core import __version__, reading, scratch
from pstgen.core.records import BadInput, Item
from pstgen.dataset import sealing
from pstgen.dataset.store import Dataset
from pstgen.evaluation.stress_result import StressResult
from pstgen.questions.wording import NEUTRAL

FORMAT = 1
LEAST = 3  # results from which one learns which pairs tell models apart

Stratum = tuple[str, bool]  # a family, and whether the words are neutral


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shares of pairs, 0 to 1, that a model wins of the whole and of the mini; the latter's standard error."""

    model: str
    whole: float
    mini: float
    standard_error: float


class Mini(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pairs of a set, written as JSON.

    set_seal: of the set's manifest. by: "results" where they say which pairs tell models apart best, else "draw". whole: pairs
    of the set that could be taken. standard_error: of a share of one half of the mini's pairs, the largest that any has.
    shares: of the results that were given; of models that the mini was chosen by they are closer than of a new one. pairs: their
    ids, sorted. seal: sha256 of the canonical JSON of all the rest.
    """

    format: int
    pstgen: str
    set_seal: str
    by: str
    whole: int
    standard_error: float
    shares: list[Shares]
    pairs: list[str]
    seal: str = ""

    @property
    def largest_difference(self) -> float:
        """The largest distance of a given model's share of the mini from its share of the whole; 0 where none was given."""
        return max((abs(given.mini - given.whole) for given in self.shares), default=0.0)

    @property
    def swapped(self) -> int:
        """Of how many two given models the one that wins more of the whole wins less of the mini."""
        twos = combinations(self.shares, 2)
        return sum((first.whole - other.whole) * (first.mini - other.mini) < 0 for first, other in twos)


def choose(dataset: Dataset, results: Sequence[StressResult], n: int) -> Mini:
    """So many pairs: of each family, in neutral and in other words, as many as is its part of the set, the most telling first.

    A pair tells models apart as well as winning it correlates, over the models, with the share of all other pairs that they
    win (the corrected point-biserial correlation; Lord and Novick, Statistical Theories of Mental Test Scores, 1968, chapter
    15). Fewer than LEAST results do not say: then the pairs are drawn, alike of every family and kind of words.

    Raises BadInput where the results are on another set, or do not share more than n pairs.
    """
    of = strata(dataset.items())
    if other := next((found for found in results if found.set_seal != dataset.manifest.seal), None):
        raise BadInput(f"{other.model}: a result on another set than {dataset.folder}; the mini is made for one set")
    shared = sorted(set(of).intersection(*(found.won for found in results)))
    if n >= len(shared):
        raise BadInput(f"--n {n:,}: there are {len(shared):,} pairs that every result has; a mini is a part of them")
    won = np.array([[found.won[pair] for pair in shared] for found in results], float).reshape(
        -1, len(shared)
    )  # (M, P)
    if len(results) >= LEAST:
        pairs = _most_telling({pair: of[pair] for pair in shared}, dict(zip(shared, _telling(won), strict=True)), n)
    else:
        pairs = draw({pair: of[pair] for pair in shared}, n)
    taken = np.isin(shared, pairs)
    return Mini(
        format=FORMAT,
        pstgen=__version__,
        set_seal=dataset.manifest.seal,
        by="results" if len(results) >= LEAST else "draw",
        whole=len(shared),
        standard_error=_error(0.5, n),
        shares=[_shares(found.model, row, taken) for found, row in zip(results, won, strict=True)],
        pairs=sorted(pairs),
    )


def write(file: Path, found: Mini) -> None:
    """Write it as canonical JSON, whole or not at all. Raises Unavailable where it cannot be written."""
    scratch.put(file, sealing.canonical(found))


def read(file: Path, set_seal: str, of: Path) -> list[str]:
    """The ids of its pairs. set_seal: of the set in the folder `of`. Raises BadInput where it is none, or of another set."""
    try:
        found = reading.json(reading.content(file), Mini)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{file}: not a mini that `pstgen mini` wrote: {error}") from None
    if found.format != FORMAT:
        raise BadInput(f"{file}: format {found.format}; this pstgen reads format {FORMAT}")
    if found.set_seal != set_seal:
        raise BadInput(f"{file}: pairs of another set than {of}; `pstgen mini {of}` chooses some of this one")
    return found.pairs


def strata(items: Iterable[Item]) -> dict[str, Stratum]:
    """Of each pair: its family, and whether its words are neutral."""
    return {item.pair_id: (item.family, item.frame == NEUTRAL) for item in items}


def draw(of: Mapping[str, Stratum], most: int) -> list[str]:
    """So many pairs at most, as many of each stratum as there are; always the same ones, and of more the first are those of fewer."""
    turns: dict[Stratum, int] = {}
    placed = []
    for pair in sorted(of, key=_by_hash):
        turns[of[pair]] = turns.get(of[pair], 0) + 1
        placed.append((turns[of[pair]], of[pair], pair))
    return [pair for _, _, pair in sorted(placed)[:most]]


def _telling(won: Any) -> Any:
    """Of each pair the correlation between winning it and the share of the others; won: (M, P); 0 where all win it, or none."""
    rest = (won.sum(1, keepdims=True) - won) / max(won.shape[1] - 1, 1)
    centred, others = won - won.mean(0), rest - rest.mean(0)
    spread = np.sqrt((centred**2).sum(0) * (others**2).sum(0))  # (P,)
    return np.divide((centred * others).sum(0), spread, out=np.zeros_like(spread), where=spread > 0)


def _most_telling(of: Mapping[str, Stratum], telling: Mapping[str, float], n: int) -> list[str]:
    members: dict[Stratum, list[str]] = {}
    for pair in sorted(of, key=lambda pair: (-round(telling[pair], 9), _by_hash(pair))):
        members.setdefault(of[pair], []).append(pair)
    parts = _proportional({stratum: len(pairs) for stratum, pairs in members.items()}, n)
    return [pair for stratum, pairs in members.items() for pair in pairs[: parts[stratum]]]


def _proportional(sizes: Mapping[Stratum, int], n: int) -> dict[Stratum, int]:
    """How many of each, n in all: its part, rounded down, and those that lost most by it get what is left."""
    exact = {stratum: n * size / sum(sizes.values()) for stratum, size in sizes.items()}
    parts = {stratum: int(part) for stratum, part in exact.items()}
    lost = sorted(sizes, key=lambda stratum: (parts[stratum] - exact[stratum], stratum))
    for stratum in lost[: n - sum(parts.values())]:
        parts[stratum] += 1
    return parts


def _shares(model: str, won: Any, taken: Any) -> Shares:
    share = float(won[taken].mean())
    return Shares(model, float(won.mean()), share, _error(share, int(taken.sum())))


def _error(share: float, n: int) -> float:
    return sqrt(share * (1 - share) / n)


def _by_hash(pair: str) -> str:
    return sha256(pair.encode()).hexdigest()
