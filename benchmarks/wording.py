"""How natural the templates' questions are: every wording, filled with words that a seed draws, under SmolLM2-135M.

    python benchmarks/wording.py                             # exit code 1 where a wording falls short; 590,000 tokens
    OMP_NUM_THREADS=1 python benchmarks/wording.py           # faster than two threads where others use the machine too
    python benchmarks/wording.py --family count --fillings 5
    python benchmarks/wording.py --read 200                  # no model: as many filled questions to be read by eye

A wording is one text of a form, a frame and a lure (where the frame has other texts for each). All wordings of a form are
filled with the same words. Its score is the mean, over its fillings, of the mean log-probability a token, in nats, after
the token that begins a text. The bar is the 5th percentile of the neutral wordings' scores: a framed wording below it
falls short. One neutral wording in twenty is below it by definition; of those an outlier falls short, one that is more
than 1.5 interquartile ranges below the neutral wordings' lower quartile.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace
from statistics import mean

import click
import numpy as np

from pstgen.core import plugins, resources
from pstgen.questions import families, wording
from pstgen.questions.families import text
from pstgen.scenes import vocabulary
from pstgen.scenes.truth import colour, skeleton

WORST, FILLINGS, ROWS, THREADS = 30, 20, 16, 2
ABOUT_PEOPLE = ("pose", "visibility")
ANSWER_IS_A_THING = {("existence", "which"), ("pointing", "what")}
WORDS = {
    "colour": colour.NAMES,
    "number": ("1", "2", "3", "4"),
    "side": skeleton.SIDES,
    "part": tuple(skeleton.PARTS.values()),
    "word": text.WORDS,
}
Filling = tuple[tuple[str, ...], str]  # what the slots are about, and the lure


@dataclass(frozen=True, slots=True)
class Wording:
    """One text of the templates. lure: "" where the frame has the same texts for every lure. score: nats a token."""

    family: str
    form: str
    frame: str
    lure: str
    template: str
    filled: tuple[str, ...]
    score: float = 0.0

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.family, self.form, self.frame, self.lure)))


def fillings(family: str, name: str, form: wording.Form, many: int) -> list[Filling]:
    """Words for each slot, of the right kind, all things different; the same at every call."""
    rng = random.Random(f"{family} {name}")
    return [_filling(family, name, form, rng) for _ in range(many)]


def _filling(family: str, name: str, form: wording.Form, rng: random.Random) -> Filling:
    *things, chosen = rng.sample(_things(), len(form.slots) + 1)
    about = tuple(rng.choice(WORDS[slot]) if slot in WORDS else things.pop() for slot in form.slots)
    fixed = "person" if family in ABOUT_PEOPLE else "stop sign" if family == "text" else ""
    if fixed:
        about = tuple(fixed if slot == "thing" else word for slot, word in zip(form.slots, about, strict=True))
    if (family, name) in ANSWER_IS_A_THING:
        return about, vocabulary.spoken(chosen)
    return about, rng.choice(families.load(family).answers(name, about))


def _things() -> list[str]:
    """COCO's categories but the person, of whom one asks in other ways."""
    return sorted(set(vocabulary._table()) - {"person"})


def wordings(names: tuple[str, ...], many: int) -> list[Wording]:
    """Every wording of these families, filled `many` times. The label's questions are the neutral ones."""
    found = []
    for family in names:
        for name, form in wording.forms(family).items():
            words = fillings(family, name, form, many)
            for frame, texts in form.frames.items():
                if frame != wording.LABEL:
                    by_lure = {"": texts} if isinstance(texts, tuple) else texts
                    found += [
                        Wording(family, name, frame, lure, template, _filled(template, form, words, lure))
                        for lure, these in by_lure.items()
                        for template in these
                    ]
    return found


def _filled(template: str, form: wording.Form, words: list[Filling], lure: str) -> tuple[str, ...]:
    return tuple(wording._fill(template, form, about, lure or drawn) for about, drawn in words)


def logprobs(texts: list[str]) -> dict[str, float]:
    """Of each text, the mean log-probability a token under SmolLM2-135M."""
    import torch

    from pstgen.models.huggingface import Model
    from pstgen.models.loading import ModelOptions

    torch.set_num_threads(min(THREADS, torch.get_num_threads()))
    model = Model(str(resources.smollm2()), kind="text", options=ModelOptions(dtype="float32", device="cpu"))
    tokens = {each: model.tokenizer(each, add_special_tokens=False)["input_ids"] for each in texts}
    begin = model.tokenizer.convert_tokens_to_ids("<|endoftext|>")
    ordered = sorted(tokens, key=lambda each: len(tokens[each]))
    means = {}
    with torch.inference_mode(), click.progressbar(range(0, len(ordered), ROWS), file=sys.stderr) as starts:
        for start in starts:
            batch = ordered[start : start + ROWS]
            lengths = torch.tensor([len(tokens[each]) for each in batch])
            ids = torch.full((len(batch), 1 + int(lengths.max())), begin)
            for row, each in enumerate(batch):
                ids[row, 1 : 1 + len(tokens[each])] = torch.tensor(tokens[each])
            inside = torch.arange(ids.shape[1] - 1) < lengths[:, None]  # padding on the right is never looked back at
            logits = model.model(input_ids=ids[:, :-1], use_cache=False).logits  # (rows, tokens, vocabulary)
            chosen = logits.gather(2, ids[:, 1:, None])[..., 0] - logits.logsumexp(-1)
            means |= dict(zip(batch, ((chosen * inside).sum(1) / lengths).tolist(), strict=True))
    return means


def scored(found: list[Wording]) -> list[Wording]:
    """With their scores, the worst first."""
    means = logprobs(sorted({question for each in found for question in each.filled}))
    return sorted((replace(w, score=mean(means[each] for each in w.filled)) for w in found), key=lambda w: w.score)


def bars(found: list[Wording]) -> tuple[float, float]:
    """What a framed wording and what a neutral one must reach."""
    neutral = [each.score for each in found if each.frame == wording.NEUTRAL]
    fifth, lower, upper = np.percentile(neutral, (5, 25, 75))
    return float(fifth), float(lower - 1.5 * (upper - lower))


@click.command()
@click.option("--family", "only", multiple=True, help="These families alone.")
@click.option("--fillings", "many", default=FILLINGS, show_default=True)
@click.option("--worst", default=WORST, show_default=True, help="So many wordings are printed.")
@click.option("--read", default=0, help="Print so many filled questions instead, drawn at random.")
@click.option("--seed", default=0, help="Of --read.")
def main(only: tuple[str, ...], many: int, worst: int, read: int, seed: int) -> None:
    """Score every wording of the templates."""
    found = wordings(only or tuple(plugins.names("families")), many)
    if read:
        rng = random.Random(seed)
        for each in rng.sample(found, read):
            click.echo(f"{each.name}: {rng.choice(each.filled)}")
        return
    found = scored(found)
    bar, fence = bars(found)
    failed = [each for each in found if each.score < (fence if each.frame == wording.NEUTRAL else bar)]
    for each in found[:worst]:
        click.echo(f"{each.score:6.2f}  {each.name}: {each.template}\n        {each.filled[0]}")
    neutral = [each.score for each in found if each.frame == wording.NEUTRAL]
    framed = [each.score for each in found if each.frame != wording.NEUTRAL]
    click.echo(
        f"{len(neutral)} neutral wordings: mean {mean(neutral):.2f}, 5th percentile {bar:.2f}, fence {fence:.2f}"
    )
    click.echo(f"{len(framed)} framed wordings: mean {mean(framed):.2f}, worst {min(framed):.2f}")
    click.echo(f"{len(failed)} fall short" + "".join(f"\n  {each.name}: {each.template}" for each in failed))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
