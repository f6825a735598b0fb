"""The naive rule beside ours: keep whatever a blind model gets wrong, without pairs. `python benchmarks/naive.py [--write]`

The same scenes of the built-in world, the same questions, the same blind model (the source's prior). The naive set holds
single items that the prior answers wrongly; a classifier retrained on its words turns the prior round and wins.
`--write` puts the table into docs/certificate.md.
"""

import sys
import tempfile
from pathlib import Path

from pstgen import build
from pstgen.core import plugins
from pstgen.core.config import VerifyConfig, build_config, with_settings
from pstgen.core.report import Refusals, Report
from pstgen.dataset import store
from pstgen.questions.facts import known
from pstgen.questions.priors import count, is_prior_part
from pstgen.questions.wording import example
from pstgen.scenes import sources
from pstgen.verification import attack
from pstgen.verification.samples import Sample, from_item

FAMILIES = ("existence", "count", "colour", "relation")
MOST = 4000  # items of the naive set
CONFIG = build_config(source="world", scenes=1200, families=FAMILIES, vlm="none", lm="none")


def naive() -> tuple[list[Sample], list[Sample]]:
    """All single items, and those that the prior answers wrongly."""
    source = sources.load(CONFIG.source.name)
    parts = {
        part: [
            fact
            for _, facts in known(
                source.scenes(CONFIG, lambda name, part=part: is_prior_part(name, "", 0.2, 0) == part, Refusals()),
                CONFIG,
                Report(),
            )
            for fact in facts
        ]
        for part in (True, False)
    }
    prior = plugins.load("priors", "counts").fit(count(parts[True]))
    every, wrong = [], []
    for n, fact in enumerate(parts[False]):
        answers = plugins.load("families", fact.family).answers(fact.form, fact.about)
        expected = dict(zip(answers, prior.expect(fact.question, answers), strict=True))
        lure = max(expected, key=expected.__getitem__)
        options = tuple(sorted({lure, str(fact.truth.answer), *sorted(answers, key=expected.get, reverse=True)[:4]}))
        item = example(fact, options, lure)
        sample = Sample(
            f"{n:07}", f"{n:07}", fact.scene_id, item.question, options, options.index(item.answer), options.index(lure)
        )
        every.append(sample)
        if lure != item.answer:
            wrong.append(sample)
    step = max(1, len(wrong) // MOST)
    return every[:: max(1, len(every) // MOST)], wrong[::step]


def row(name: str, samples: list[Sample], attacker: str) -> str:
    result = attack.run(attacker, samples, VerifyConfig()).result
    pairs = f"{result.pairs.share:.1%}" if result.ceiling < 1 else "none"
    return f"| {name} | {len(samples):,} | {attacker} | {result.items.chance:.1%} | {result.items.share:.1%} | {result.items.low:.1%} to {result.items.high:.1%} | {pairs} |"


def main() -> None:
    every, wrong = naive()
    with tempfile.TemporaryDirectory() as name:
        config = with_settings(CONFIG, out=Path(name) / "pst")
        build.build(build.with_defaults(config))
        ours = [from_item(item) for item in store.open(config.out).items()]
    lines = [
        "| set | items | attacker | drawing options | items won | 95 % interval | pairs won |",
        "|---|---:|---|---:|---:|---|---:|",
    ]
    for what, samples in (("all questions", every), ("what the prior gets wrong", wrong), ("pstgen's pairs", ours)):
        lines += [row(what, samples, attacker) for attacker in ("majority", "ngrams", "boosting")]
    print("\n".join(lines))
    if "--write" in sys.argv:
        page = Path(__file__).parents[1] / "docs" / "certificate.md"
        text = page.read_text(encoding="utf-8")
        begin, end = text.index("<!-- table -->"), text.index("<!-- end -->")
        page.write_text(f"{text[:begin]}<!-- table -->\n" + "\n".join(lines) + f"\n{text[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
