"""What do the build's judges reach: on ordinary questions of the source, on stress twins, on pairs?"""

from collections.abc import Iterator

from pstgen.core.config import VerifyConfig
from pstgen.dataset import judged
from pstgen.dataset.judged import Judged
from pstgen.dataset.store import Dataset
from pstgen.verification.findings import Finding, untested


def applies(dataset: Dataset) -> bool:
    """Did anybody judge the wordings that were kept?"""
    return any(score.kept for score in dataset.scores())


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Compare what each judge said of the wordings that were kept with the answers.

    Not sound where a judge that saw no picture wins a pair, or where one that decides is right about a stress twin: then a
    pair was kept that does not mislead it.
    """
    judges = judged.of_dataset(dataset)
    if not judges:
        return untested("judges", "no judge answered the wordings that were kept")
    return Finding(
        check="judges",
        summary=f"{len(judges)} judges; {judged.widest_gap(judges) or 'all saw the pictures'}",
        problems=tuple(problem for line in judges for problem in _problems(line)),
        judges=tuple(judges),
    )


def _problems(line: Judged) -> Iterator[str]:
    stress, pairs = line.all.stress, line.all.pairs
    if not line.sees and pairs.right:
        yield f"{line.judge} saw no picture and wins {pairs.right:,} of {pairs.of:,} pairs"
    if line.decides and stress.right:
        yield f"{line.judge} decides what is kept and is right about {stress.right:,} of {stress.of:,} stress twins"
