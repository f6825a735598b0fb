"""What every edit shares: two versions of one scene, of which facts are asked anew; labels are worked out, never assumed."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pstgen.core.records import Candidate, Fact, Instance, Scene
from pstgen.pairs.context import PairContext, candidate
from pstgen.pairs.image_ops import Chance, Pixels, Refused
from pstgen.questions import families
from pstgen.questions.families import Question
from pstgen.scenes import pixels, png
from pstgen.scenes.truth import layout

TRIES = 3  # things of a scene, that an edit is tried on
LARGEST = 12_000_000  # pixels of a picture that is edited
PAIRS = 2  # of one edit, each of another family
LEAD = 2  # pairs of a sentence by which one of two pictures may have had the same answer more often than the other
EVEN = 0.5  # nats by which pulls may differ, up to which two questions could as well be asked as each other
MOST_AREA = 0.08  # of the image: what is larger cannot be painted over
FAST = 0  # zlib's level: most edits are looked at and thrown away; what stays is written again, smaller


@dataclass(frozen=True)
class Version:
    """One version of a scene. image: (H, W, 3) uint8 RGB; depth: (H, W) uint16 millimetres, 0 where unknown."""

    image: Pixels
    instances: tuple[Instance, ...]
    captions: tuple[str, ...]
    depth: NDArray[np.uint16] | None = None


class Attempt(NamedTuple):
    """An edit that was tried. scenes: its two versions, whose images are written where a pair can come of them; () where it was refused: why.

    asked: by family, facts of the first and of the second version with one question and two answers.
    """

    scenes: tuple[Scene, ...]
    asked: dict[str, list[tuple[Fact, Fact]]]
    refused: str = ""


Edit = Callable[[Scene, Instance, Chance], tuple[Version, Version]]
Misleads = Callable[[Fact, Fact], bool]  # can they be a pair?
Leads = dict[tuple[str, str], int]  # sentence and what is told apart → pairs


def subjects(scene: Scene) -> list[Instance]:
    """What most edits can be tried on: plain to see, whole, not too large, and nothing else's."""
    largest = MOST_AREA * scene.width * scene.height
    return [
        thing
        for thing in scene.instances
        if thing.rle
        and thing.area <= largest
        and layout.is_plain(thing, scene)
        and not layout.truncated(thing, scene)
        and (not thing.full_rle or thing.full_rle == thing.rle)
    ]


@dataclass(frozen=True)
class Procedure:
    """How an edit is tried. families: those that are asked; work: a folder for the pictures."""

    name: str
    edit: Edit
    families: tuple[str, ...]
    on: Callable[[Scene], list[Instance]]
    forms: tuple[str, ...]
    seed: int
    work: Path

    def attempts(self, scene: Scene, misleads: Misleads) -> list[Attempt]:
        """Try the edit on TRIES things of a scene; of both versions facts are asked anew."""
        if scene.width * scene.height > LARGEST:
            return [Attempt((), {}, "its picture is too large to be edited")]
        chance = np.random.default_rng(list(sha256(f"{self.seed}/{self.name}/{scene.id}".encode()).digest()))
        things = self.on(scene)
        drawn = chance.permutation(len(things))[:TRIES].tolist()
        return [self._attempt(scene, things[n], chance, misleads) for n in drawn]

    def _attempt(self, scene: Scene, thing: Instance, chance: Chance, misleads: Misleads) -> Attempt:
        try:
            versions = self.edit(scene, thing, chance)
        except Refused as reason:
            return Attempt((), {}, str(reason))
        scenes = tuple(self._version(scene, version, chance) for version in versions)
        asked = {family: self._asked(scenes, family) for family in self.families}
        if any(misleads(*facts) for family in asked.values() for facts in family):
            for version, edited in zip(versions, scenes, strict=True):
                png.write(edited.path, version.image, FAST)
        return Attempt(scenes, asked)

    def _version(self, scene: Scene, version: Version, chance: Chance) -> Scene:
        """The version as a scene whose image is in memory, not yet in its file. Its name does not tell which of the two it is."""
        name = f"{scene.id}+{self.name}-{chance.bytes(4).hex()}"
        image, depth = (self.work / f"{name.replace('/', '-')}{end}" for end in (".png", ".depth.png"))
        pixels.remember(str(image), version.image)
        if version.depth is not None:
            png.write(depth, version.depth)
        return replace(
            scene,
            id=name,
            path=str(image),
            depth_path="" if version.depth is None else str(depth),
            instances=version.instances,
            captions=version.captions,
        )

    def _asked(self, scenes: Sequence[Scene], family: str) -> list[tuple[Fact, Fact]]:
        ask = families.load(family).ask
        first, second = (
            {f.question: f for f in ask(scene) if f.truth.known and (not self.forms or f.form in self.forms)}
            for scene in scenes
        )
        both = ((first[question], second[question]) for question in first.keys() & second.keys())
        return [facts for facts in both if facts[0].truth.answer != facts[1].truth.answer]


@dataclass
class Edited:
    """A twin maker: applies one edit and its sham to scenes, and pairs what has then one question and two answers.

    families: those whose answers the edit can change; on: what it can be tried on; forms: the sentences that may be
    asked, where not all may: an edited picture must not give its answer away to somebody who does not know the question.
    photographs: is it made on photographs too, where nobody names it? Most edits of them look like cut-outs. keeps_known: an
    answer is known after the edit only where one was known before, so that a scene without one need not be edited.
    lead: by how many pairs of a sentence the first version, or the stress twin, had the alphabetically first answer more
    often than the other, or the first version was the control twin: who tells pictures apart by their looks, not knowing
    the question, must win nothing by it.
    """

    name: str
    edit: Edit
    families: tuple[str, ...]
    context: PairContext
    on: Callable[[Scene], list[Instance]] = subjects
    forms: tuple[str, ...] = ()
    photographs: bool = False
    keeps_known: bool = False
    made: int = 0
    lead: Leads = field(default_factory=lambda: defaultdict(int))
    blank: set[Question] = field(default_factory=set)  # questions whose words suggest nothing

    @cached_property
    def procedure(self) -> Procedure:
        """How it is tried."""
        config = self.context.config
        asked = tuple(name for name in self.families if name in (config.questions.families or self.families))
        return Procedure(self.name, self.edit, asked, self.on, self.forms, config.seed, self.context.work)

    def wants(self, /) -> bool:
        """Are there fewer pairs than the run wants?"""
        return self.made < self.context.config.pairs.edited

    def look(self, scene: Scene, facts: Sequence[Fact], /) -> list[Attempt]:
        """Try the edit on a few things, where it is made on such scenes and a pair can come of it; facts are asked anew."""
        if not self.fits(scene, facts):
            return []
        if self.keeps_known and not any(self._misleads(fact) for fact in facts):
            return [Attempt((), {}, "nothing is expected of what it would change")]
        return self.attempts(scene)

    def attempts(self, scene: Scene) -> list[Attempt]:
        """Try the edit."""
        return self.procedure.attempts(scene, lambda first, second: self._lure(first, second) is not None)

    def take(self, found: list[Attempt], /) -> Iterator[Candidate]:
        """Up to PAIRS pairs of each attempt, unless there are as many as the run wants."""
        if not self.wants():
            return
        for attempt in found:
            if attempt.refused:
                self.context.refused[self.name, attempt.refused] += 1
            else:
                yield from self._taken(attempt)

    def fits(self, scene: Scene, facts: Sequence[Fact]) -> bool:
        """Is the edit made on such scenes, and can a pair come of it?"""
        families = self.procedure.families
        suits = scene.complete or self.photographs or self.name in self.context.config.pairs.twins
        return bool(families) and suits and (not self.keeps_known or any(fact.family in families for fact in facts))

    def _misleads(self, fact: Fact) -> bool:
        """Is its question one that the edit may ask, and do its words suggest an answer?"""
        if fact.family not in self.procedure.families or fact.question in self.blank:
            return False
        if self.context.lure(self.context.associations(fact.question)) is None:
            self.blank.add(fact.question)
            return False
        return True

    def rest(self, /) -> Iterator[Candidate]:
        """Nothing: every scene gives its pairs by itself."""
        yield from ()

    def _taken(self, attempt: Attempt) -> Iterator[Candidate]:
        """Its pairs, but those by which a look at the pictures would tell answers."""
        candidates = self._pairs(attempt)
        if not candidates:
            self.context.refused[self.name, "no question has two answers, one of them expected"] += 1
        for pair, leads in candidates:
            if any(abs(lead) > LEAD for lead in leads.values()):
                self.context.refused[self.name, "its looks would correlate with the answer"] += 1
                continue
            self.lead.update(leads)
            self.made += 1
            for edited in attempt.scenes:
                png.write(edited.path, pixels.image(edited))
            yield pair

    def _pairs(self, attempt: Attempt) -> list[tuple[Candidate, Leads]]:
        """Of each family one pair, that leaves no lead if there is one, and otherwise by a hash; with the leads it leaves."""
        chosen = list[tuple[Candidate, Leads]]()
        for asked in attempt.asked.values():
            pairs = (self._paired(first, second, attempt.scenes) for first, second in asked)
            candidates = [pair for pair in pairs if pair]
            with_leads = [(pair, self._leads(pair, candidates, attempt.scenes[0].id)) for pair in candidates]
            chosen += sorted(with_leads, key=lambda each: (max(map(abs, each[1].values())), each[0].pair_id))[:1]
        return sorted(chosen, key=lambda each: (-each[0].pull, each[0].pair_id))[:PAIRS]

    def _leads(self, pair: Candidate, others: Sequence[Candidate], first: str) -> Leads:
        """Leads once this pair is taken.

        What is unusual is seen: so another question, as strong, should have made the control twin the stress twin; where
        none would, the stress twin's answer must be now the one, now the other.
        """
        form, lure, twin = pair.control.form, pair.lure, pair.control.scene_id
        early = min(pair.control, pair.stress[0], key=lambda fact: str(fact.truth.answer))
        matched = any(
            (other.control.form, other.lure) == (form, lure)
            and other.control.scene_id != twin
            and abs(other.pull - pair.pull) <= EVEN
            for other in others
        )
        ahead_by_key = {(form, "version"): early.scene_id == first, (form, "turn"): twin == first}
        if not matched:
            ahead_by_key[form, "role"] = early is pair.control
        return {key: self.lead[key] + (1 if ahead else -1) for key, ahead in ahead_by_key.items()}

    def _lure(self, first: Fact, second: Fact) -> str | None:
        """The answer that one expects to both, if one of them has it."""
        lure = self.context.lure(self.context.associations(first.question))
        return lure if lure in {first.truth.answer, second.truth.answer} else None

    def _paired(self, first: Fact, second: Fact, scenes: Sequence[Scene]) -> Candidate | None:
        """The two facts as a pair, if their answers differ and one of them is what one expects."""
        lure = self._lure(first, second)
        if lure is None:
            return None
        added = self.context.associations(first.question)
        control, stress = (first, second) if first.truth.answer == lure else (second, first)
        return candidate(control, [stress], added, self.name, scenes)
