"""What is taught: scenes with questions about them, one line a scene in a file, drawn once and read as they are needed."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain as joined
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Fact, Item, Refusal, Refusals, Scene
from pstgen.dataset import rationale
from pstgen.questions import priors, wording
from pstgen.questions.priors import Expectation
from pstgen.scenes.truth import colour

PRIOR_LESSONS = 1500  # that tell what one expects
MOST_OPTIONS = 4
DRAWN = 12  # questions a scene, of which each step takes some
FILE, REFUSED = "lessons.jsonl", "refused.jsonl"

Track = Callable[[Iterable[Scene], str, int], Iterable[Scene]]


class Asked(msgspec.Struct, frozen=True):
    """One question. chain: what is to be seen before it is answered. expected: what one would answer without looking."""

    family: str
    question: str
    options: tuple[str, ...]
    answer: str
    chain: str = ""
    expected: str = ""


class Lesson(msgspec.Struct, frozen=True):
    """A scene and what is asked of it."""

    scene: Scene
    asked: tuple[Asked, ...]


class Course:
    """Lessons on disk, read one at a time. Raises BadInput where there are none."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        try:
            with self.file.open("rb") as lines:
                lengths = np.array([len(line) for line in lines])
        except OSError as error:
            raise BadInput(f"{self.file}: {error.strerror}") from None
        self.starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def lesson(self, n: int) -> Lesson:
        """The n-th lesson."""
        with self.file.open("rb") as lines:
            lines.seek(int(self.starts[n]))
            return msgspec.json.decode(lines.readline(), type=Lesson)


def prepare(config: BuildConfig, plain: float, folder: Path, track: Track, held: Collection[str] = ()) -> Course:
    """Ask every scene of the source, word what is drawn, and write the lessons; once, whole or not at all.

    plain: the share of questions without a frame; the others suggest what one expects. held: the `number` of every image
    that is examined on: those give no lesson. What is left out is named in `folder`/REFUSED. Raises BadInput where no
    scene can be asked anything.
    """
    if not (folder / FILE).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        draft, refused = folder / f"{FILE}.part", Refusals()
        expected = expectation(config)
        with draft.open("wb") as file:
            for scene in track(_scenes(config, refused), "lessons", config.scenes):
                if number(scene.path) in held:
                    refused.record(scene.path, scene.id, "is examined on")
                elif lesson := draw(scene, config, plain, expected):
                    file.write(msgspec.json.encode(lesson) + b"\n")
        if not draft.stat().st_size:
            raise BadInput(f"{config.source}: no scene can be asked about {', '.join(config.families)}")
        if refused.records:
            (folder / REFUSED).write_bytes(b"".join(map(line, refused.records)))
        draft.replace(folder / FILE)
    return Course(folder)


def line(refusal: Refusal) -> bytes:
    """One line of a file of what was left out."""
    return msgspec.json.encode(asdict(refusal)) + b"\n"


def number(image: str | Path) -> str:
    """What names an image in every release of COCO, and in a scene's id; of others the file's name without ending.

    >>> number("val2014/COCO_val2014_000000000042.jpg"), number("train2017/000000000042.jpg"), number("mine/b_07.png")
    ('42', '42', 'b_07')
    """
    name = Path(image).stem.partition("+")[0]
    told = re.fullmatch(r"(?:COCO_\w+_)?0*(\d+)", name)
    return told[1] if told else name


def _scenes(config: BuildConfig, refused: Refusals) -> Iterator[Scene]:
    read: Iterator[Scene] = plugins.load("sources", config.source).scenes(config, lambda _: True, refused)
    return islice(read, config.scenes)


def expectation(config: BuildConfig) -> Expectation:
    """What one expects of the questions that are asked."""
    told = islice(_scenes(config, Refusals()), PRIOR_LESSONS)
    fitted: Expectation = plugins.load("priors", config.prior).fit(
        priors.count(joined.from_iterable(_drawn(scene, config, _rng(scene, config)) for scene in told))
    )
    return fitted


def draw(scene: Scene, config: BuildConfig, plain: float, expected: Expectation) -> Lesson | None:
    """One scene's lesson, the same whenever it is drawn; None where nothing is known of it."""
    rng = _rng(scene, config)
    facts = _drawn(scene, config, rng)
    asked = tuple(_asked(fact, scene, plain, expected, rng) for fact in facts)
    return Lesson(_coloured(scene), asked) if asked else None


def _rng(scene: Scene, config: BuildConfig) -> np.random.Generator:
    return np.random.default_rng([config.seed, *scene.id.encode()])


def _drawn(scene: Scene, config: BuildConfig, rng: np.random.Generator) -> list[Fact]:
    """DRAWN facts: sentences in turn, of each sentence every answer as likely as the next."""
    shelves: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
    for name in config.families:
        for fact in plugins.load("families", name).ask(scene):
            if fact.truth.known:
                shelves[fact.family, fact.form].append(fact)
    drawn: dict[Fact, None] = {}
    forms = list(shelves)
    for n in range(2 * DRAWN if forms else 0):
        shelf = shelves[forms[n % len(forms)]]
        counted = Counter(fact.truth.answer for fact in shelf)
        odds = np.array([1 / counted[fact.truth.answer] for fact in shelf])
        drawn[shelf[int(rng.choice(len(shelf), p=odds / odds.sum()))]] = None
    return list(drawn)[:DRAWN]


def _asked(fact: Fact, scene: Scene, plain: float, expected: Expectation, rng: np.random.Generator) -> Asked:
    answers: tuple[str, ...] = plugins.load("families", fact.family).answers(fact.form, fact.about)
    likely = expected.expect(fact.question, answers)
    lure = answers[max(range(len(answers)), key=likely.__getitem__)]
    spoken = [frame for frame in wording.frames(fact.family) if frame != wording.LABEL]
    frame = wording.NEUTRAL if rng.random() < plain else str(rng.choice(spoken))
    text = wording.said(fact, frame, lure, int(rng.integers(2**31)))
    options = _options(answers, lure, str(fact.truth.answer), rng)
    return Asked(fact.family, text, options, str(fact.truth.answer), _chain(fact, text, options, lure, scene), lure)


def _options(answers: Sequence[str], lure: str, answer: str, rng: np.random.Generator) -> tuple[str, ...]:
    """Truth, lure and others at random, in natural order."""
    others = [other for other in rng.permutation(answers).tolist() if other not in {lure, answer}]
    few = {lure, answer, *others[: max(0, MOST_OPTIONS - len({lure, answer}))]}
    return tuple(option for option in answers if option in few)


def _chain(fact: Fact, text: str, options: tuple[str, ...], lure: str, scene: Scene) -> str:
    """What is to be seen, in words that end before the answer."""
    item = Item(
        item_id="",
        pair_id="",
        role="control",
        scene_id=scene.id,
        image="",
        family=fact.family,
        form=fact.form,
        about=fact.about,
        frame="",
        question=text,
        neutral=text,
        options=options,
        answer=str(fact.truth.answer),
        lure=lure,
        evidence=fact.evidence,
        mark=fact.mark,
    )
    return rationale.chain(item, scene).rpartition("; so ")[0]


def _coloured(scene: Scene) -> Scene:
    """The scene, each thing with the colour that is known of it."""
    things = (replace(thing, colour=colour.look(thing, scene).name.answer or "") for thing in scene.instances)
    return replace(scene, instances=tuple(things))
