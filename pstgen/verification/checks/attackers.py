"""Can anybody win by the words alone, who is trained on the finished set itself?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pstgen.core import scratch
from pstgen.core.config import VerifyConfig
from pstgen.core.records import origin
from pstgen.dataset.store import Dataset
from pstgen.models.chat import Image
from pstgen.scenes import pixels
from pstgen.verification import attack
from pstgen.verification.attack import AttackRun
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import AttackResult, Finding
from pstgen.verification.samples import Sample, from_item

SECONDS = 20.0
SPREADS = True
VULNERABILITY = "vulnerability.parquet"
UNTRAINED = "too few pairs of different scenes to train an attacker on"
OTHER_SCENES = 16  # of the set, whose images are shown instead of the right one


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:
    """Every attacker is trained and tested in folds that share no pair and no scene; none may pass `config.most_over`.

    Who is right about which item is written beside the items.
    """
    items = list(dataset.items())
    if broken := [item for item in items if not {item.answer, item.lure} <= set(item.options)]:
        problems = first_problems(
            f"item {item.item_id}: answer or lure is not one of its options, so nobody can attack" for item in broken
        )
        return Finding(check="attackers", summary="not attacked", problems=problems)
    samples = [from_item(item) for item in items]
    images = _images(dataset) if config.attacker_vlm else {}
    untried: dict[str, str] = {}
    runs = list(attack.run_all(samples, config, images, untried))
    if runs:
        _write(dataset.folder / VULNERABILITY, samples, runs)
    results = tuple(run.result for run in runs)
    return Finding(
        check="attackers",
        summary="; ".join([_summary(results), *(f"not tried: {name} ({why})" for name, why in untried.items())]),
        problems=tuple(problem for result in results for problem in result.problems(config.most_over)),
        attacks=results,
        untested="" if any(result.train_share for result in results) else UNTRAINED,
    )


def _summary(results: Sequence[AttackResult]) -> str:
    """The most pairs that any attacker wins, and the attacker that comes closest to passing the ceiling."""
    if not results:
        return "nobody attacked"
    best = max(results, key=lambda result: result.items.high - result.ceiling)
    return (
        f"{len(results)} attackers: pairs won, {max(result.pairs.share for result in results):.1%} at most; "
        f"items, {best.attacker} {best.items.share:.1%} [{best.items.low:.1%}, {best.items.high:.1%}], "
        f"where answering one twin of every pair gives {best.ceiling:.1%}"
    )


def _images(dataset: Dataset) -> Mapping[str, Image]:
    """Images of a few scenes as they are, nothing written into them."""
    images: dict[str, Image] = {}
    for row in dataset.rows(()):
        if not row.item.label:
            images.setdefault(origin(row.item.scene_id), pixels.decode(row.image))
        if len(images) == OTHER_SCENES:
            break
    return images


def _write(file: Path, samples: Sequence[Sample], runs: Sequence[AttackRun]) -> None:
    """Of every item: the share of attackers that are right, and which."""
    won_by = [[run.result.attacker for run in runs if run.correct[n]] for n in range(len(samples))]
    table = pa.table(
        {
            "item_id": [sample.name for sample in samples],
            "vulnerability": attack.vulnerability(runs),
            "won_by": pa.array(won_by, pa.list_(pa.string())),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    scratch.put(file, buffer.getvalue().to_pybytes())
