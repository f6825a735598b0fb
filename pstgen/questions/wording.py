"""Words for a pair: `templates/*.yaml` → question and neutral question, in good English."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from pstgen.core import plugins, resources
from pstgen.core.english import grammar
from pstgen.core.records import BadInput, Candidate, Fact, Item, Pair, Role
from pstgen.questions import families
from pstgen.scenes import vocabulary

SLOT = re.compile(r"\{(\w+)(?::([asnx]))?\}")
NEUTRAL = "neutral"
NEUTRAL_FIRST = 3, 5  # of so many pairs, so many
LABEL = "label"  # asked plainly; the claim is written into the picture


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence of a family. frames: frame → wordings, or frame → lure → wordings where they differ by lure.

    claim: a clause that says the lure, or lure → clause; with it, the frames of templates/frames.yaml fit too.
    """

    slots: tuple[str, ...]
    frames: dict[str, tuple[str, ...] | dict[str, tuple[str, ...]]]
    claim: str | dict[str, str] = ""


@cache
def forms(family: str, templates: Path | None = None) -> dict[str, Form]:
    """The family's templates, each form with all its frames; a user's own folder is searched first.

    A family from outside may bring them as YAML in its TEMPLATE.
    """
    brought: str | None = getattr(families.load(family), "TEMPLATE", None)
    own = resources.read("templates", family, dict[str, Form], before=templates, otherwise=brought)
    shared = resources.read("templates", "frames", dict[str, tuple[str, ...]], before=templates)
    return {name: _with_shared(form, shared) for name, form in own.items()}


def _with_shared(form: Form, shared: dict[str, tuple[str, ...]]) -> Form:
    """Add the frames that put the form's claim before its neutral wordings, each before the one at its own place.

    In the frame LABEL the question is the neutral one, and the claim is for the picture.
    """
    plain = form.frames.get(NEUTRAL)
    if not form.claim or not isinstance(plain, tuple):
        return form

    def framed(texts: tuple[str, ...], claim: str) -> tuple[str, ...]:
        return tuple(
            text.replace("{claim}", claim).replace("{question}", plain[n % len(plain)]) for n, text in enumerate(texts)
        )

    more = {
        frame: framed(texts, form.claim)
        if isinstance(form.claim, str)
        else {lure: framed(texts, claim) for lure, claim in form.claim.items()}
        for frame, texts in shared.items()
    }
    return msgspec.structs.replace(form, frames=more | {LABEL: plain} | form.frames)


def frames(family: str, templates: Path | None = None) -> tuple[str, ...]:
    """Every frame that all forms of the family have, the neutral one first."""
    common = set.intersection(*(set(form.frames) for form in forms(family, templates).values()))
    return tuple(sorted(common, key=lambda frame: (frame != NEUTRAL, frame)))


def check(family: str, wanted: Sequence[str] = (), templates: Path | None = None) -> None:
    """Raise BadInput where the family has not all of the wanted frames, or the user's own folder is none of templates.

    Frames that other families have are passed over: captions say nothing of marks.
    """
    if templates:
        ours = {file.name for file in resources.folder("templates").iterdir()} | {f"{family}.yaml"}
        if not templates.is_dir() or ours.isdisjoint(file.name for file in templates.iterdir()):
            raise BadInput(f"{templates}: no folder with templates; they are called {', '.join(sorted(ours))}")
    there = frames(family, templates)
    elsewhere = {frame for name in plugins.names("families") for frame in frames(name, templates)}
    if unknown := [frame for frame in wanted if frame not in {*there, *elsewhere}]:
        raise BadInput(f"no frame {unknown[0]!r} for {family}; there are: {', '.join(there)}")


def word(candidate: Candidate, tries: int, wanted: Sequence[str] = (), templates: Path | None = None) -> Iterator[Pair]:
    """Yield the pair in up to `tries` different wordings; frames take turns, but of NEUTRAL_FIRST pairs the neutral ones come first.

    wanted: the frames to use, as far as the family has them; none means all. Which wording comes first is drawn by the pair's name.
    """
    fact = candidate.control
    form = forms(fact.family, templates)[fact.form]
    there = frames(fact.family, templates)
    texts = {frame: _texts(form, frame, candidate.lure) for frame in wanted or there if frame in there}
    if not texts:
        return
    draw = int(sha256(candidate.pair_id.encode()).hexdigest(), 16)
    names = _rotated(tuple(texts), draw)
    turns = product(range(max(map(len, texts.values()))), names)
    available = [(n, frame) for n, frame in turns if n < len(texts[frame])]
    if draw // 7 % NEUTRAL_FIRST[1] < NEUTRAL_FIRST[0]:
        available.sort(key=lambda turn: turn[1] != NEUTRAL)
    for turn, frame in available[:tries]:
        plain = _texts(form, NEUTRAL, candidate.lure)
        framed = _rotated(texts[frame], draw)[turn]
        neutral = framed if frame == NEUTRAL else _rotated(plain, draw)[turn % len(plain)]
        words = {
            "frame": frame,
            "question": _fill(framed, form, fact.about, candidate.lure),
            "neutral": _fill(neutral, form, fact.about, candidate.lure),
            "label": claim(fact, candidate.lure, templates) if frame == LABEL else "",
        }
        *stress, control = (_twin(candidate, n, **words) for n in range(len(candidate.facts)))
        yield Pair(tuple(stress), control)


def claim(fact: Fact, lure: str, templates: Path | None = None) -> str:
    """The clause that says the lure."""
    form = forms(fact.family, templates)[fact.form]
    return _fill(form.claim if isinstance(form.claim, str) else form.claim[lure], form, fact.about, lure)


def ask(fact: Fact, frame: str, lure: str, draw: int, templates: Path | None = None) -> str:
    """The fact's question in that frame; `draw` says which of its wordings."""
    form = forms(fact.family, templates)[fact.form]
    return _fill(_rotated(_texts(form, frame, lure), draw)[0], form, fact.about, lure)


def example(fact: Fact, options: tuple[str, ...], lure: str, templates: Path | None = None) -> Item:
    """One known fact as an item of its own, in a wording that its scene and words draw: what judges learn from."""
    draw = int(sha256(f"{fact.scene_id} {fact.question}".encode()).hexdigest(), 16)
    frame = _rotated(frames(fact.family, templates), draw)[0]
    text = ask(fact, frame, lure, draw // 7, templates)
    name, shared = f"lesson-{draw:x}", {"frame": frame, "options": options, "lure": lure}
    return item_of(fact, item_id=name, pair_id=name, role="control", question=text, neutral=text, **shared)


def item_of(fact: Fact, **fields: Any) -> Item:
    """An item about a fact, without its image. fields: those that the fact does not give."""
    family, form, about = fact.question
    return Item(
        family=family,
        form=form,
        scene_id=fact.scene_id,
        image="",
        answer=str(fact.truth.answer),
        about=about,
        evidence=fact.evidence,
        mark=fact.mark,
        **fields,
    )


def _twin(candidate: Candidate, n: int, **words: str) -> Item:
    """The n-th twin as an item. Twins have letters, which a hash gives out: neither name nor order tells the role."""
    fact = candidate.facts[n]
    letter = letters(candidate.pair_id, [(fact.scene_id, fact.mark) for fact in candidate.facts])[n]
    role: Role = "control" if fact is candidate.control else "stress"
    return item_of(
        fact,
        item_id=f"{candidate.pair_id}-{letter}",
        pair_id=candidate.pair_id,
        role=role,
        options=candidate.options,
        lure=candidate.lure,
        twin=candidate.twin,
        difficulty=candidate.pull,
        pull_counts=candidate.association,
        **{f"pull_{name}": pull for name, pull in candidate.model_pulls},
        **words,
    )


def letters(pair_id: str, shown: Sequence[tuple[str, tuple[float, float] | None]]) -> list[str]:
    """The letters of twins, by what each shows: its scene's id and its mark."""
    draws = [sha256(f"{pair_id} {scene_id} {mark}".encode()).digest() for scene_id, mark in shown]
    return ["abcd"[sorted(draws).index(draw)] for draw in draws]


def wordings(fact: Fact, frame: str, lure: str, templates: Path | None = None) -> Iterator[tuple[str, str]]:
    """Every question of that frame about the fact, with the neutral one that may stand beside it. Raises BadInput for no frame."""
    form = forms(fact.family, templates)[fact.form]
    plain = [_fill(text, form, fact.about, lure) for text in _texts(form, NEUTRAL, lure)]
    for text in _texts(form, frame, lure):
        framed = _fill(text, form, fact.about, lure)
        yield from ((framed, neutral) for neutral in ([framed] if frame == NEUTRAL else plain))


def _texts(form: Form, frame: str, lure: str) -> tuple[str, ...]:
    try:
        texts = form.frames[frame]
        return texts if isinstance(texts, tuple) else texts[lure]
    except KeyError as missing:
        raise BadInput(
            f"templates: no wording {missing} in frame {frame!r}; there are: {', '.join(form.frames)}"
        ) from None


def _rotated(texts: tuple[str, ...], by: int) -> tuple[str, ...]:
    by %= len(texts)
    return texts[by:] + texts[:by]


def _fill(text: str, form: Form, about: tuple[str, ...], lure: str) -> str:
    """Put the nouns in, each in the shape that its slot asks for, and begin with a capital."""
    nouns = dict(zip(form.slots, map(vocabulary.spoken, about), strict=True)) | {"lure": lure}

    def shaped(slot: re.Match[str]) -> str:
        if slot[1] not in nouns:
            raise BadInput(f"templates: {text!r} has a slot {slot[1]!r}; there are: {', '.join(nouns)}")
        return _shape(nouns[slot[1]], slot[2] or "", nouns.get("number", lure))

    filled = SLOT.sub(shaped, text)
    return filled[0].upper() + filled[1:]


@cache
def _shape(noun: str, shape: str, number: str) -> str:
    """a: with its article; s: plural; n: a number as a word; x: singular or plural as the number in question wants it."""
    if shape == "a":
        return str(grammar().a(noun))
    if shape == "n":
        return str(grammar().number_to_words(noun))
    if shape == "s" or (shape == "x" and number != "1"):
        return vocabulary.plural(noun)
    return noun
