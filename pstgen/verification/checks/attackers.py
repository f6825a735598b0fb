"""Can anybody win by the words alone, who is trained on the finished set itself?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core.config import VerifyConfig
from pstgen.core.records import Finding, origin
from pstgen.dataset import store
from pstgen.dataset.store import Dataset
from pstgen.models.huggingface import Image
from pstgen.scenes import pixels
from pstgen.verification import attack, samples
from pstgen.verification.attack import Reached
from pstgen.verification.checks import some
from pstgen.verification.samples import Case

VULNERABILITY = "vulnerability.parquet"
UNTRAINED = "too few pairs of different scenes to train an attacker on"
OTHERS = 16  # scenes of the set that stand for another one


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Every attacker is trained and asked in folds that share no pair and no scene; none may pass `config.most_over`.

    Who is right about which item is written beside the items.
    """
    items = list(dataset.items())
    if lost := [item for item in items if not {item.answer, item.lure} <= set(item.options)]:
        problems = some(
            f"item {item.item_id}: answer or lure is none of its options, so nobody can attack" for item in lost
        )
        return Finding(check="attackers", summary="not attacked", problems=problems)
    told = [samples.of(item) for item in items]
    others = _others(dataset) if config.attacker_vlm else {}
    reached = list(attack.run(told, config, others))
    _write(dataset.folder / VULNERABILITY, told, reached)
    best = max(reached, key=lambda one: one.items.high - one.ceiling)
    summary = (
        f"{len(reached)} attackers: pairs won, {max(one.pairs.share for one in reached):.1%} at most; "
        f"items, {best.attacker} {best.items.share:.1%} [{best.items.low:.1%}, {best.items.high:.1%}], "
        f"where answering one twin of every pair gives {best.ceiling:.1%}"
    )
    return Finding(
        check="attackers",
        summary=summary,
        problems=tuple(problem for one in reached for problem in _problems(one, config)),
        figures=attack.figures(reached),
        untested="" if any(one.learnt for one in reached) else UNTRAINED,
    )


def _problems(one: Reached, config: VerifyConfig) -> list[str]:
    found = []
    if one.items.high > one.ceiling + config.most_over:
        found.append(
            f"{one.attacker} reaches {one.items.share:.1%} of the items, at most {one.items.high:.1%}; "
            f"words alone should reach {one.ceiling:.1%}"
        )
    if one.pairs.share > 0:
        found.append(f"{one.attacker} wins {one.pairs.share:.2%} of the pairs, so something tells twins apart")
    return found


def _others(dataset: Dataset) -> Mapping[str, Image]:
    """Images of a few scenes as they are, nothing written into them."""
    found: dict[str, Image] = {}
    for row in dataset.rows():
        if not row.item.label:
            found.setdefault(origin(row.item.scene_id), pixels.decoded(row.image))
        if len(found) == OTHERS:
            break
    return found


def _write(file: Path, told: Sequence[Case], reached: Sequence[Reached]) -> None:
    """Of every item: the share of attackers that are right, and which."""
    won = [[one.attacker for one in reached if one.right[n]] for n in range(len(told))]
    table = pa.table(
        {
            "item_id": [case.name for case in told],
            "vulnerability": attack.vulnerability(reached),
            "won_by": pa.array(won, pa.list_(pa.string())),
        }
    )
    code = pa.BufferOutputStream()
    pq.write_table(table, code, compression="zstd")
    store.put(file, code.getvalue().to_pybytes())
