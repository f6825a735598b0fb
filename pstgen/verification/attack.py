"""Runs attackers/ over cases, ours or of other people's benchmarks, and says what words alone reach."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pstgen.core import plugins, resources, statistics
from pstgen.core.config import VerifyConfig
from pstgen.core.statistics import Share
from pstgen.verification import samples
from pstgen.verification.attackers import Means
from pstgen.verification.samples import Case, Split

LOG = logging.getLogger("pstgen")
OURS = {"lm": "words", "vlm": "eye"}  # models that come with pstgen


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What one attacker reached.

    pairs: of which every twin is right. stress, control: None where no case has that role. ceiling: of items, where every
    pair is hit once. right: item by item. learnt: of the set, what a model that answered learnt from, on average.
    seconds: of the attack.
    """

    attacker: str
    pairs: Share
    items: Share
    stress: Share | None
    control: Share | None
    ceiling: float
    right: NDArray[np.bool_]
    learnt: float
    seconds: float


def run(told: Sequence[Case], config: VerifyConfig, others: Mapping[str, Any] | None = None) -> Iterator[Reached]:
    """Every attacker that has what it needs. others: images of the set by scene, for those that show a VLM the wrong one.

    Raises Unavailable where a model that is named does not load.
    """
    means = _means(config, others)
    there = {name for name in ("lm", "vlm", "others") if getattr(means, name)}
    if all(case.lure >= 0 for case in told):
        there.add("lure")
    for name in plugins.names("attackers"):
        if _needs(name) <= there:
            reached = attack(told, name, config, others)
            LOG.info("%s: %s items attacked in %.1f s", name, f"{len(told):,}", reached.seconds)
            yield reached


def attack(told: Sequence[Case], name: str, config: VerifyConfig, others: Mapping[str, Any] | None = None) -> Reached:
    """What the attacker reaches; whatever answers a case saw neither its pair nor its scene.

    Where a set is so small that nothing else is left to learn from, the first option is taken. Raises RuntimeError where
    folds leak: what is reached then means nothing.
    """
    start = perf_counter()
    placed, means = samples.placed(told), _means(config, others)
    chosen, learnt = [0] * len(told), 0
    for split in samples.splits(told, config.folds, config.seed):
        if leaks := samples.leaks(told, split):
            raise RuntimeError(f"folds leak: {', '.join(leaks[:3])}, {len(leaks)} in all, are learnt and asked about")
        if len(split.learnt):
            for n, line in zip(split.asked.tolist(), _scores(placed, split, name, means), strict=True):
                chosen[n] = int(np.argmax(line))
        learnt += len(split.learnt) * len(split.asked)
    return reach(name, told, chosen, config, learnt=learnt / len(told) ** 2, seconds=perf_counter() - start)


def _scores(placed: Sequence[Case], split: Split, name: str, means: Means) -> list[tuple[float, ...]]:
    """Without a model of torch's, on one thread: several wait for each other, and sum in another order elsewhere."""
    from threadpoolctl import threadpool_limits

    learnt, asked = ([placed[n] for n in rows.tolist()] for rows in (split.learnt, split.asked))
    with threadpool_limits(None if _needs(name) & {"lm", "vlm"} else 1):
        told: list[tuple[float, ...]] = plugins.load("attackers", name).attack(learnt, asked, means)
    return told


def _needs(name: str) -> frozenset[str]:
    return getattr(plugins.load("attackers", name), "NEEDS", frozenset())


def _means(config: VerifyConfig, others: Mapping[str, Any] | None) -> Means:
    def model(kind: str, named: str) -> str:
        return str(resources.model(OURS[kind])) if named == "ours" else named

    lm, vlm = model("lm", config.attacker_lm), model("vlm", config.attacker_vlm)
    return Means(seed=config.seed, lm=lm, vlm=vlm, device=config.device, others=others or {})


def reach(  # noqa: PLR0913 (columns of one table)
    name: str,
    told: Sequence[Case],
    chosen: Sequence[int],
    config: VerifyConfig,
    *,
    learnt: float = 0.0,
    seconds: float = 0.0,
) -> Reached:
    """Count what was won.

    Twins share their words, so a pair is one draw: a guess by the words hits one of its twins or none.
    """
    right = np.array([choice == case.answer for case, choice in zip(told, chosen, strict=True)])
    roles = np.array([case.role for case in told])
    chances = np.array([1 / len(case.options) for case in told])
    pair = np.unique([case.pair for case in told], return_inverse=True)[1]
    sizes = np.bincount(pair)

    def share(hits: NDArray[np.int64], asked: NDArray[np.int64], chance: float) -> Share:
        return statistics.of_pairs(hits, asked, chance=chance, confidence=config.confidence, seed=config.seed)

    def of(some: NDArray[np.bool_]) -> Share:
        hits, asked = (np.bincount(pair[which], minlength=len(sizes)) for which in (some & right, some))
        return share(hits, asked, float(chances[some].mean()))

    won = np.bincount(pair[right], minlength=len(sizes)) == sizes
    lucky = np.exp(np.bincount(pair, weights=np.log(chances)))  # every twin by a draw of its own
    return Reached(
        attacker=name,
        pairs=share(won.astype(np.int64), np.ones_like(sizes), float(lucky.mean())),
        items=of(np.ones(len(told), dtype=bool)),
        stress=of(roles == "stress") if "stress" in roles else None,
        control=of(roles == "control") if "control" in roles else None,
        ceiling=len(sizes) / len(told),
        right=right,
        learnt=learnt,
        seconds=seconds,
    )


def vulnerability(reached: Sequence[Reached]) -> NDArray[np.float64]:
    """(items,) s(x): the share of attackers that are right about each. Twins of one text have at most 1 in sum."""
    told: NDArray[np.float64] = np.mean([one.right for one in reached], axis=0)
    return told


def figures(reached: Iterable[Reached]) -> dict[str, float]:
    """`<attacker>/<of what>` and, of each such share, `/low`, `/high`, `/bootstrap_low`, `/bootstrap_high` and `/chance`."""
    told: dict[str, float] = {}
    for one in reached:
        for what in ("pairs", "items", "stress", "control"):
            share: Share | None = getattr(one, what)
            if share:
                told[f"{one.attacker}/{what}"] = share.share
                for bound in ("low", "high", "bootstrap_low", "bootstrap_high", "chance"):
                    told[f"{one.attacker}/{what}/{bound}"] = getattr(share, bound)
        told |= {f"{one.attacker}/ceiling": one.ceiling, f"{one.attacker}/learnt": one.learnt}
    return told
