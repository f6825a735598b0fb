"""What is taught: scenes with questions about them, one line a scene in a file, drawn once and read as they are needed."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from itertools import chain, cycle, islice
from pathlib import Path

import msgspec
import numpy as np

from pstgen.core import scratch
from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Fact, Scene, Truth
from pstgen.core.report import Refusal, Refusals
from pstgen.dataset import rationale
from pstgen.questions import families, priors, wording
from pstgen.questions.priors import Expectation
from pstgen.scenes import sources, vocabulary
from pstgen.scenes.truth import colour

PRIOR_SCENES = 1500  # that show what one expects
MAX_OPTIONS = 4
MAX_QUESTIONS = 12  # a scene, of which each step takes some
GIVEN = "existence", "given"
CHOSEN = {GIVEN: "which", ("pointing", "on"): "what"}  # a form, and the one of the same family whose options are things
FILE, REFUSED = "lessons.jsonl", "refused.jsonl"

Form = tuple[str, str]  # family and sentence
Track = Callable[[Iterable[Scene], str, int], Iterable[Scene]]
Odds = Callable[[Sequence[Fact]], Sequence[float]]


class Question(msgspec.Struct, frozen=True):
    """A question about a scene. chain: what one sees before one answers. expected: the answer of one who does not look.

    form, about: of its fact (see `Fact`), so that the same question is found again however it is worded; "" where it is about a
    marked point, which is in one image alone.
    """

    family: str
    text: str = msgspec.field(name="question")
    options: tuple[str, ...]
    answer: str
    chain: str = ""
    expected: str = ""
    form: str = ""
    about: tuple[str, ...] = ()


class Example(msgspec.Struct, frozen=True):
    """A scene, and questions about it."""

    scene: Scene
    questions: tuple[Question, ...] = msgspec.field(name="asked")


class Examples(Sequence[Example]):
    """Examples on disk, read one at a time. Raises BadInput where there are none.

    families: those of questions; of a scene about which none of them asks there is no example. None means all. labelled: the
    share of the scenes, those that have perceptual targets.
    """

    def __init__(self, folder: Path, families: Collection[str] = (), labelled: float = 1.0) -> None:
        self.file = folder / FILE
        try:
            with self.file.open("rb") as lines:
                lengths = np.array([len(line) for line in lines])
        except OSError as error:
            raise BadInput(f"{self.file}: {error.strerror}") from None
        self.starts = (np.cumsum(lengths) - lengths).astype(np.int64)
        self.families = frozenset(families)
        if self.families:
            self.starts = np.array([start for n, start in enumerate(self.starts) if self[n].questions], np.int64)
            if not self.starts.size:
                raise BadInput(f"{self.file}: no question is about {', '.join(sorted(self.families))}")
        if labelled < 1:
            chosen = [start for n, start in enumerate(self.starts) if is_labelled(self[n].scene.id, labelled)]
            if not chosen:
                raise BadInput(
                    f"{self.file}: none of its {len(self):,} scenes has targets; raise labelled ({labelled:g})"
                )
            self.starts = np.array(chosen, np.int64)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, n: int) -> Example:  # type: ignore[override]
        """The n-th example."""
        if not 0 <= n < len(self):
            raise IndexError(n)
        with self.file.open("rb") as lines:
            lines.seek(int(self.starts[n]))
            example = msgspec.json.decode(lines.readline(), type=Example)
        if not self.families:
            return example
        return Example(example.scene, tuple(q for q in example.questions if q.family in self.families))


def is_labelled(name: str, share: float) -> bool:
    """Is the scene of that name among the share of all that have targets? Those of a smaller share are among a larger one's."""
    return int(sha256(f"labelled/{name}".encode()).hexdigest()[:13], 16) < share * 16**13


def prepare(config: BuildConfig, plain: float, folder: Path, track: Track, held_out: Collection[str] = ()) -> Examples:
    """Ask about every scene of the source, word the questions, and write the examples; once, whole or not at all.

    plain: the share of questions without a frame; the others suggest what one expects. held_out: the `image_number` of
    every image that is examined on: those give no example. What is left out is named in `folder`/REFUSED. Raises BadInput
    where no scene can be asked about anything.
    """
    if not (folder / FILE).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        expected, refused = expectation(config), Refusals()
        with scratch.folder(".draft-", folder) as place:
            draft = place / FILE
            with draft.open("wb") as file:
                for scene in track(_scenes(config, refused), "examples", config.source.scenes):
                    if image_number(scene.path) in held_out:
                        refused.record(scene.path, scene.id, "is examined on")
                    elif example := draw(scene, config, plain, expected):
                        file.write(msgspec.json.encode(example) + b"\n")
            if not draft.stat().st_size:
                names = ", ".join(config.questions.families)
                raise BadInput(f"{config.source.name}: no scene can be asked about {names}")
            if refused.records:
                scratch.put(folder / REFUSED, b"".join(map(refusal_line, refused.records)))
            draft.replace(folder / FILE)
    return Examples(folder)


def refusal_line(refusal: Refusal) -> bytes:
    """One line of a file of what was left out."""
    return msgspec.json.encode(asdict(refusal)) + b"\n"


def image_number(image: str | Path) -> str:
    """What names an image in every release of COCO, and in a scene's id; of others the file's name without its ending.

    >>> image_number("val2014/COCO_val2014_000000000042.jpg"), image_number("train2017/000000000042.jpg")
    ('42', '42')
    >>> image_number("mine/b_07.png")
    'b_07'
    """
    name = Path(image).stem.partition("+")[0]
    match = re.fullmatch(r"(?:COCO_\w+_)?0*(\d+)", name)
    return match[1] if match else name


def _scenes(config: BuildConfig, refused: Refusals) -> Iterator[Scene]:
    return islice(sources.load(config.source.name).scenes(config, lambda _: True, refused), config.source.scenes)


def expectation(config: BuildConfig) -> Expectation:
    """What one expects of the questions that are asked."""
    scenes = islice(_scenes(config, Refusals()), PRIOR_SCENES)
    facts = (_draw_facts(scene, config, _generator(scene, config)) for scene in scenes)
    return priors.load(config.questions.prior).fit(priors.count(chain.from_iterable(facts)))


def draw(scene: Scene, config: BuildConfig, plain: float, expected: Expectation) -> Example | None:
    """The example of a scene, the same whenever it is drawn; None where nothing is known of it."""
    rng = _generator(scene, config)
    facts = _draw_facts(scene, config, rng)
    questions = tuple(_draw_question(fact, scene, plain, expected, rng) for fact in facts)
    return Example(_with_colours(scene), questions) if questions else None


def _generator(scene: Scene, config: BuildConfig) -> np.random.Generator:
    return np.random.default_rng([config.seed, *scene.id.encode()])


def _draw_facts(scene: Scene, config: BuildConfig, rng: np.random.Generator) -> list[Fact]:
    """MAX_QUESTIONS facts: sentences in turn, of each sentence every answer as likely as the next."""
    forms = by_form(known_facts(scene, config.questions.families))
    return pick(forms, islice(cycle(forms), 2 * MAX_QUESTIONS), _even_odds, MAX_QUESTIONS, rng)


def _even_odds(facts: Sequence[Fact]) -> list[float]:
    counts = Counter(fact.truth.answer for fact in facts)
    return [1 / counts[fact.truth.answer] for fact in facts]


def _draw_question(fact: Fact, scene: Scene, plain: float, expected: Expectation, rng: np.random.Generator) -> Question:
    lure = expected_answer(expected, fact, possible_answers(fact))
    frames = [frame for frame in wording.frames(fact.family) if frame != wording.LABEL]
    question = word(fact, possible_answers(fact), lure, plain, frames, rng)
    item = wording.item_of(
        fact,
        item_id="",
        pair_id="",
        role="control",
        frame="",
        question=question.text,
        neutral=question.text,
        options=question.options,
        lure=lure,
    )
    what_is_seen = rationale.chain(item, scene).rpartition("; so ")[0]
    form, about = (fact.form, fact.about) if fact.mark is None else ("", ())
    return msgspec.structs.replace(question, chain=what_is_seen, expected=lure, form=form, about=about)


def _with_colours(scene: Scene) -> Scene:
    """The scene, each thing with the colour that is known of it."""
    things = (replace(thing, colour=colour.appearance(thing, scene).name.answer or "") for thing in scene.instances)
    return replace(scene, instances=tuple(things))


# -------------------------------------------------------------------- facts and questions, also of scenes without files


def known_facts(scene: Scene, names: Sequence[str]) -> list[Fact]:
    """What these families know of a scene."""
    return [fact for name in names for fact in families.load(name).ask(scene) if fact.truth.known]


def answerable(facts: Sequence[Fact]) -> dict[Fact, tuple[str, ...]]:
    """Each fact with everything that could be its answer; after them those of CHOSEN, whose options are things.

    Of these the wrong options are things that are certainly not in the scene: facts must hold those about existence.
    """
    absent: defaultdict[str, list[str]] = defaultdict(list)
    for fact in facts:
        if (fact.family, fact.form, fact.truth.answer) == (*GIVEN, "no"):
            absent[fact.about[1]].append(vocabulary.spoken(fact.about[0]))
    chosen = {}
    for fact in facts:
        form = CHOSEN.get((fact.family, fact.form)) if fact.truth.answer == "yes" else None
        if form and len(absent[fact.about[1]]) >= MAX_OPTIONS - 1:
            thing = vocabulary.spoken(fact.about[0])
            choice = msgspec.structs.replace(fact, form=form, about=fact.about[1:], truth=Truth(thing))
            chosen[choice] = (thing, *absent[fact.about[1]])
    return {fact: possible_answers(fact) for fact in facts} | chosen


def by_form(facts: Iterable[Fact]) -> dict[Form, list[Fact]]:
    """The facts of each sentence, in their order."""
    forms: defaultdict[Form, list[Fact]] = defaultdict(list)
    for fact in facts:
        forms[fact.family, fact.form].append(fact)
    return dict(forms)


def pick(
    forms: Mapping[Form, Sequence[Fact]],
    turns: Iterable[Form],
    odds: Odds,
    wanted: int,
    rng: np.random.Generator,
) -> list[Fact]:
    """A fact of each sentence whose turn it is, drawn by its odds; the first `wanted` of them, none twice."""
    drawn: dict[Fact, None] = {}
    for form in turns:
        weights = np.array(odds(forms[form]))
        drawn[forms[form][int(rng.choice(len(weights), p=weights / weights.sum()))]] = None
    return list(drawn)[:wanted]


def possible_answers(fact: Fact) -> tuple[str, ...]:
    """Everything that could be the answer to the fact's question, in its natural order."""
    return families.load(fact.family).answers(fact.form, fact.about)


def expected_answer(expected: Expectation, fact: Fact, answers: tuple[str, ...]) -> str:
    """The likeliest of the answers before one looks."""
    shares = expected.expect(fact.question, answers)
    return answers[max(range(len(answers)), key=shares.__getitem__)]


def word(  # noqa: PLR0913, PLR0917 (what a question is made of)
    fact: Fact, answers: Sequence[str], lure: str, plain: float, frames: Sequence[str], rng: np.random.Generator
) -> Question:
    """The fact's question, plainly with the probability `plain`, else in any of the frames."""
    frame = wording.NEUTRAL if rng.random() < plain else str(rng.choice(frames))
    text = wording.ask(fact, frame, lure, int(rng.integers(2**31)))
    answer = str(fact.truth.answer)
    return Question(fact.family, text, choose_options(answers, lure, answer, rng), answer)


def choose_options(answers: Sequence[str], lure: str, answer: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The right answer, the lure, and others at random, in natural order."""
    others = [other for other in rng.permutation(answers).tolist() if other not in {lure, answer}]
    chosen = {lure, answer, *others[: max(0, MAX_OPTIONS - len({lure, answer}))]}
    return tuple(option for option in answers if option in chosen)
