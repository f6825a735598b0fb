"""Do two halves of what the prior counted expect the same? `python benchmarks/halves.py pst/ [--draws 5]`

What was counted for a set (the source's own part and the counts added to it) is counted again and parted into two disjoint halves, a
question and answer at a time, by lot. Of each kept pair it is asked whether both halves add to the lure, and whether one adds to it and the
other takes away: that pair's lure would be reversed. A pair counts as reversed, too, if the halves put different answers first.
"""

from collections import Counter
from pathlib import Path

import click
import numpy as np

from pstgen import build
from pstgen.core.config import RebuildConfig
from pstgen.core.records import BadInput
from pstgen.core.scratch import folder
from pstgen.dataset import store
from pstgen.questions import prior_base, priors
from pstgen.questions.priors import Tally
from pstgen.verification import rebuild


def parted(tally: Tally, rng: np.random.Generator) -> tuple[Tally, Tally]:
    """Each count by lot to one of two halves."""
    first = {key: int(rng.binomial(n, 0.5)) for key, n in sorted(tally.items())}
    return +Counter(first), tally - Counter(first)


def counted(dataset: store.Dataset) -> Tally:
    """What the set's prior was fitted on, counted again."""
    config = rebuild.settings(dataset.manifest, RebuildConfig(lm="none", vlm="none"), Path("nowhere"))
    with folder("pstgen-") as work:
        observed = build.count_facts(build.prepare(config, work, build.silent))
    return prior_base.mixed(observed.tally, observed.scenes, config.questions.prior_base)


@click.command(help=__doc__)
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--draws", type=click.IntRange(1), default=5)
def main(path: Path, draws: int) -> None:
    try:
        dataset = store.open(path)
        tally = counted(dataset)
    except BadInput as error:
        raise click.ClickException(str(error)) from None
    pairs = {item.pair_id: item for item in dataset.items()}.values()
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(draws):
        halves = [priors.load("counts").fit(half) for half in parted(tally, rng)]
        reversed_pairs = []
        for item in pairs:
            question = item.family, item.form, item.about
            added = [half.associate(question, item.options) for half in halves]
            lure = item.options.index(item.lure)
            signs = {each[lure].value > 0 for each in added}
            first = {max(range(len(each)), key=lambda n, each=each: each[n].value) for each in added}
            if len(signs) > 1 or len(first) > 1:
                reversed_pairs.append(item.family)
        shares.append(len(reversed_pairs) / len(pairs))
        print(f"{len(reversed_pairs):4} of {len(pairs):,} pairs reversed", dict(Counter(reversed_pairs)), flush=True)
    print(f"{100 * np.mean(shares):.1f} % of the pairs on average of {draws} draws")


if __name__ == "__main__":
    main()
