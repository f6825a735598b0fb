"""Select with one family of judges, attack with all the others: `python benchmarks/transfer.py [--write]`, a quarter of an hour.

One set of candidate pairs of the built-in world; each family of judges alone finds, for each pair, words for which it falls,
and so makes a selection of its own. Every attacker attacks every selection, and systems that see more or less are ranked
on each. `--write` puts both tables into docs/certificate.md.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import kendalltau

from pstgen import build
from pstgen.core.config import VerifyConfig, build_config, with_settings
from pstgen.core.records import origin
from pstgen.scenes import pixels
from pstgen.verification import attack
from pstgen.verification.checks.attackers import OTHER_SCENES
from pstgen.verification.samples import from_item

SELECTORS = {
    "nobody": (),
    "prior": ("prior",),
    "text": ("text",),
    "lm": ("lm",),
    "vlm": ("vlm",),
    "all": ("prior", "text", "lm", "vlm"),
}
CONFIG = build.with_defaults(build_config(source="world", scenes=400, candidates=15))
ATTACKED = VerifyConfig()  # those that are trained on the words in seconds
EYES = {  # what the seeing model is shown instead of the image
    "eye": lambda image: image,
    "eye, slightly blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 1.0),
    "eye, blurred": lambda image: cv2.GaussianBlur(image, (0, 0), 2.5),
    "eye, without colour": lambda image: np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "eye, left half": lambda image: np.where(np.arange(image.shape[1])[:, None] < image.shape[1] // 2, image, 128),
}
BEGIN, END = "<!-- transfer -->", "<!-- end of transfer -->"


def selected(run, candidates, gallery, fitted, judges):
    """The items that these judges alone keep, each with its image."""
    config = with_settings(run.config, judges=judges)
    alone = build.Run(config, run.work, run.parts)
    panel = build.train_judges(build.open_judges(config), *fitted, candidates, alone)
    misled, _ = build.select_wordings(candidates, gallery, panel, alone)
    kept = build.add_images(build.select_pairs(misled, gallery, alone), gallery, alone)
    return sorted((item for pair in kept for item in pair.items), key=lambda item: item.item_id)


def others(items):
    """Images of a few scenes of the selection, for the attacker that is shown the wrong one."""
    plain = {origin(item.scene_id): item.image for item in reversed(items) if not item.label}
    return {name: pixels.read(plain[name]) for name in sorted(plain)[:OTHER_SCENES]}


def examined(judges, items, work):
    """System → what it reached."""
    samples = [from_item(item) for item in items]
    answers = {judge.name: judge.answer(items) for judge in judges if not judge.sees}
    seeing = next(judge for judge in judges if judge.sees)
    for name, way in EYES.items():
        shown = {file: work / f"{name}-{Path(file).name}.png" for file in {item.image for item in items}}
        for file, copy in shown.items():
            cv2.imwrite(str(copy), np.ascontiguousarray(way(pixels.read(file)).astype(np.uint8)[..., ::-1]))
        answers[name] = seeing.answer([replace(item, image=str(shown[item.image])) for item in items])
    return {
        name: attack.measure(name, samples, [verdict.choice for verdict in verdicts], ATTACKED)
        for name, verdicts in answers.items()
    }


def table(head, rows):
    lines = [f"| {' | '.join([head, *SELECTORS])} |", f"|---|{'---:|' * len(SELECTORS)}"]
    return [*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)]


def both(one, first):
    """Two shares in one cell, %."""
    return f"{100 * getattr(one, first).share:.1f}, {100 * one.stress.share:.0f}"


def attackers(attacked, items):
    """Attacker x selection."""
    least = next(iter(attacked["nobody"]))
    rows = [["*pairs that stay*", *(len({item.pair_id for item in some}) for some in items.values())]]
    rows += [["*one twin of every pair*", *(f"{100 * by[least].ceiling:.1f}" for by in attacked.values())]]
    rows += [[f"`{one}`", *(both(by[one], "items") for by in attacked.values())] for one in attacked["nobody"]]
    most = max(one.pairs.share for by in attacked.values() for one in by.values())
    return [
        f"Attackers, % of items and of stress twins; of pairs none wins more than {most:.1%}:",
        "",
        *table("attacker \\ selected by", rows),
    ]


def ranked(systems):
    """System x selection, and Kendall's tau-b between the rankings of every two selections."""
    names = list(systems["nobody"])
    rows = [[one, *(both(by[one], "pairs") for by in systems.values())] for one in names]

    def taus(what):
        told = {by: [getattr(systems[by][name], what).share for name in names] for by in SELECTORS}
        found = [kendalltau(told[one], told[other]).statistic for one, other in combinations(SELECTORS, 2)]
        return f"{np.mean(found):.2f} on average, {min(found):.2f} at least"

    return [
        "Systems, % of pairs and of stress twins:",
        "",
        *table("system \\ selected by", rows),
        "",
        f"Kendall's tau of the {len(names)} systems, every two selections: by pairs {taus('pairs')}; by stress {taus('stress')}.",
    ]


def measured():
    with tempfile.TemporaryDirectory() as folder:
        run = build.prepare(CONFIG, Path(folder))
        observed = build.count_facts(run)
        prior = build.fit_prior(observed, run)
        candidates = build.propose_pairs(prior, run)
        gallery = build.open_scenes(candidates, run)
        judges = build.train_judges(build.open_judges(CONFIG), observed, prior, candidates, run).judges
        items = {name: selected(run, candidates, gallery, (observed, prior), some) for name, some in SELECTORS.items()}
        attacked, systems = {}, {}
        for name, some in items.items():
            runs = attack.run_all([from_item(item) for item in some], ATTACKED, others(some))
            attacked[name] = {run.result.attacker: run.result for run in runs}
            systems[name] = examined(judges, some, run.work)
            print(f"{name}: {len(some)} items", file=sys.stderr, flush=True)
    return [*attackers(attacked, items), "", *ranked(systems)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/certificate.md")
    write = parser.parse_args().write
    lines = measured()
    print("\n".join(lines))
    if write:
        page = Path(__file__).parents[1] / "docs" / "certificate.md"
        text = page.read_text(encoding="utf-8")
        begin, end = text.index(BEGIN), text.index(END)
        page.write_text(f"{text[:begin]}{BEGIN}\n" + "\n".join(lines) + f"\n{text[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
