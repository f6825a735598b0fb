"""Systems: what each plans, and how each answers by a model whose scores are known."""

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.models import answerer
from pstgen.models.answerer import Answerer, Query
from pstgen.models.detector import Finder, Found
from pstgen.training import systems
from pstgen.training.systems import Plan, agent, chain, debate, pair_gated_text, question_only, tools

NAMES = plugins.names("systems")
OTHERWISE = {"agent", "debate", "chain", "tools", "question_only", "pair_gated_text", "cascade"}
ONCE = [name for name in NAMES if name not in OTHERWISE]
IMAGE = np.arange(20 * 30 * 3, dtype=np.uint32).reshape(20, 30, 3).astype(np.uint8)
COLOUR = Query("q1", "What colour is the cup?", ("red", "blue", "green"), IMAGE)
FREE = Query("q2", "What is this?", (), IMAGE)


class FakeAnswerer:
    """An answerer whose answers are given, and that keeps the queries.

    scores: query → score of every option. generates: query → free text. describes: image → what tools say. finds: image →
    what a detector finds.
    """

    def __init__(
        self, scores=None, generates=lambda _: "a cup", describes=lambda _: "Seen: 1 cup.", finds=lambda _: []
    ):
        self.finds, self.finder = finds, Finder(("cup", "dog"), None)
        self.scores = scores or (lambda query: [-float(n) for n, _ in enumerate(query.options)])
        self.generates, self.describes, self.queries, self.calls = generates, describes, [], 0

        self.parts = {"only": self, systems.RIVAL: self}

    def route(self, questions):
        return ["only"] * len(questions)

    def describe(self, images):
        return [self.describes(image) for image in images]

    def find(self, images):
        return [self.finds(image) for image in images]

    def score(self, queries):
        self.queries += queries
        self.calls += bool(queries)
        return [tuple(self.scores(query)) for query in queries]

    def generate(self, queries, max_tokens=6):
        self.queries += queries
        self.calls += bool(queries)
        self.max_tokens = max_tokens
        return [self.generates(query) for query in queries]

    def answer(self, queries):
        return [
            query.options[int(np.argmax(self.score([query])[0]))] if query.options else self.generate([query])[0]
            for query in queries
        ]


def likes(**liked):
    """Thinks highest of these options, in proportion; of all others nothing."""
    return lambda query: [float(liked.get(option, -9)) for option in query.options]


# ---------------------------------------------------------------------------------------------------------- every one


@pytest.mark.parametrize("name", NAMES)
def test_a_system_is_one_file_with_its_sentence_a_plan_and_an_answer(name):
    system = systems.load(name)
    assert system.__doc__
    assert isinstance(system.PLAN, Plan)
    assert callable(system.answer)
    for field, kind in get_type_hints(Plan).items():
        if field not in {"parts", "families"}:
            assert getattr(system.PLAN, field) in (get_args(kind) or {True, False, *NAMES, ""})


def test_all_that_is_compared_is_there():
    assert {
        *("standard", "tools", "agent", "chain", "debate", "self_supervised", "perceptual_reward"),
        *("standard_longer", "random_targets", "shuffled_masks", "question_only", "stage1_only", "stage2_only"),
        *("pair_gated", "item_gated", "pair_gated_random", "pair_gated_text", "cascade"),
    } <= set(NAMES)


def test_controls_differ_from_what_they_control_in_one_thing():
    plans = {name: systems.load(name).PLAN for name in NAMES}
    reward, gated = plans["perceptual_reward"], plans["pair_gated"]
    assert gated == Plan(after="perceptual_reward", gate="pair")
    assert plans["standard"] == Plan()
    assert {name: replace(plan, control=False) for name, plan in plans.items() if plan.control} == {
        "random_targets": replace(reward, corruption="random"),
        "shuffled_masks": replace(reward, corruption="shuffled"),
        "stage1_only": replace(reward, reward=False),
        "stage2_only": replace(reward, pretraining=""),
        "standard_longer": Plan(longer=True),
        "question_only": Plan(sees=False),
        "item_gated": replace(gated, gate="item"),
        "pair_gated_random": replace(gated, corruption="random"),
        "pair_gated_text": replace(gated, sees=False),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_control_calls_itself_one(name):
    system = systems.load(name)
    assert system.__doc__.startswith("Control: ") == system.PLAN.control


@pytest.mark.parametrize("name", NAMES)
def test_a_system_whose_weights_answer_for_another_has_weights_of_its_own(name):
    plan = systems.load(name).PLAN
    other = plan.weights_of or plan.after
    assert not other or not systems.load(other).PLAN.weights_of
    assert bool(plan.after) == bool(plan.gate)


@pytest.mark.parametrize("name", NAMES)
def test_answers_come_in_the_order_of_the_queries_and_are_options(name):
    options = [("red", "blue"), ("yes", "no"), ("1", "2", "3", "4"), (), ("no", "yes"), ()]
    queries = [Query(f"q{n}", f"Question {n}?", choices, IMAGE) for n, choices in enumerate(options)]
    best = {"red": 1, "no": 1, "3": 1}

    def generates(query):  # the best option too
        return (
            f"a cup at (1, 2, 3, 4); so {max(query.options, key=lambda o: best.get(o, 0))}" if query.options else "so x"
        )

    answers = systems.load(name).answer(FakeAnswerer(likes(**best), generates), queries)
    assert [answers[n] for n in (0, 1, 2, 4)] == ["red", "no", "3", "no"]
    assert len(answers) == len(queries)
    assert all(isinstance(answer, str) for answer in answers)


@pytest.mark.parametrize("name", NAMES)
def test_no_questions_have_no_answers(name):
    assert systems.load(name).answer(FakeAnswerer(), []) == []


@pytest.mark.parametrize("name", ONCE)
def test_most_systems_ask_once_and_change_nothing(name):
    fake = FakeAnswerer()
    assert systems.load(name).answer(fake, [COLOUR, FREE]) == ["red", "a cup"]
    assert fake.queries == [COLOUR, FREE]


def test_question_only_never_shows_the_image():
    fake = FakeAnswerer()
    question_only.answer(fake, [COLOUR, FREE])
    assert [query.image for query in fake.queries] == [None, None]
    assert [query.question for query in fake.queries] == [COLOUR.question, FREE.question]


def test_the_control_by_words_alone_is_shown_flat_images_of_the_same_size():
    fake = FakeAnswerer()
    pair_gated_text.answer(fake, [COLOUR, replace(FREE, image=None)])
    shown, nothing = (query.image for query in fake.queries)
    assert shown.shape == IMAGE.shape
    assert len(np.unique(shown)) == 1
    assert nothing is None
    assert [query.question for query in fake.queries] == [COLOUR.question, FREE.question]


# -------------------------------------------------------------------------------------------------------------- agent


CUP, DOG = Found("cup", (0.5, 0.5, 0.25, 0.375), "blue"), Found("dog", (0.0, 0.0, 0.2, 0.2))


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_shares_of_options_sum_to_one(scores):
    normalized = agent.normalize(scores)
    assert np.exp(normalized).sum() == pytest.approx(1)
    assert np.allclose(np.diff(normalized), np.diff(scores), atol=1e-6)


def test_the_agent_looks_closer_where_the_detector_found_what_the_question_names():
    """The cup's box of (20, 30) pixels, with an eighth of each side around it: 0.375 to 0.875 across, from 0.375 down."""
    fake = FakeAnswerer(finds=lambda _: [CUP, DOG])
    agent.answer(fake, [COLOUR])
    whole, closer = fake.queries
    assert whole.image is IMAGE
    assert (closer.image == IMAGE[7:20, 11:27]).all()
    assert closer.image.flags["C_CONTIGUOUS"]
    assert whole.options == closer.options == COLOUR.options


def test_where_it_found_nothing_that_is_named_the_whole_image_decides():
    fake = FakeAnswerer(finds=lambda _: [DOG])
    assert agent.answer(fake, [COLOUR]) == ["red"]
    assert [query.image is IMAGE for query in fake.queries] == [True]


@given(st.tuples(*[st.floats(0, 1)] * 4))
def test_a_closer_look_is_never_empty_nor_outside(box):
    (closer,) = agent._closer(COLOUR, [Found("cup", box)])
    height, width = closer.image.shape[:2]
    assert 0.2 * 20 <= height <= 20
    assert 0.2 * 30 <= width <= 30


def test_the_whole_and_the_closer_look_decide_together_in_shares():
    """Scores of the closer look are all far below those of the whole; only their shares count."""

    def scores(query):
        return [0.0, -0.1, -5.0] if query.image is IMAGE else [-90.0, -80.0, -90.0]

    assert agent.answer(FakeAnswerer(scores, finds=lambda _: [CUP]), [COLOUR]) == ["blue"]


@pytest.mark.parametrize(
    ("option", "question", "contradicted"),
    [
        ("yes", "Is there a dog?", False),
        ("yes", "Is there a kite?", True),
        ("yes", "There is a dog. Is there a kite?", True),
        ("yes", "Is there a sofa?", False),  # which the detector does not know
        ("no", "Is there a dog?", False),
        ("cup", "Which of these is there too?", False),
        ("kite", "Which of these is there too?", True),
        ("left", "Where is the kite?", False),
        ("1", "How many cups are there?", False),
        ("2", "How many cups are there?", True),
        ("2", "How many kites are there?", False),  # of none it may have missed some
        ("blue", "What colour is the cup?", False),
        ("red", "What colour is the cup?", True),
        ("red", "What colour is the dog?", False),  # whose colour it does not know
        ("red", "What colour is the cup by the dog?", False),
    ],
)
def test_what_the_detector_saw_contradicts_what_an_answer_says(option, question, contradicted):
    known = ("cup", "dog", "kite")
    assert agent.is_contradicted(option, question, [CUP, DOG], known) == contradicted
    assert agent.is_contradicted("yes", "Is there a dog?", [], known)


def test_the_likeliest_answer_that_is_not_contradicted_is_given_or_of_all_the_likeliest():
    blue = Query("q1", COLOUR.question, ("red", "green", "blue"), IMAGE)
    assert agent.answer(FakeAnswerer(finds=lambda _: [CUP]), [blue]) == ["blue"]
    neither = replace(blue, options=("red", "green"))
    assert agent.answer(FakeAnswerer(finds=lambda _: [CUP]), [neither]) == ["red"]


def test_of_a_free_question_it_chooses_between_what_was_said_of_either_image():
    def generates(query):
        return "a table" if query.image is IMAGE else "a cup"

    free = replace(FREE, question="What is by the cup?")
    fake = FakeAnswerer(likes(**{"a cup": 0.0, "a table": -1.0}), generates, finds=lambda _: [CUP])
    assert agent.answer(fake, [free]) == ["a cup"]
    assert [query.options for query in fake.queries] == [()] * 2 + [("a table", "a cup")] * 2
    assert fake.calls == 2


@pytest.mark.parametrize("text", ["a cup", ""])
def test_an_agent_of_one_mind_says_it_or_nothing(text):
    assert agent.answer(FakeAnswerer(generates=lambda _: text), [FREE]) == [text]


def test_an_agent_that_is_shown_nothing_answers_and_asks_no_detector():
    blind, looked = [replace(COLOUR, image=None), replace(FREE, image=None)], []
    assert agent.answer(FakeAnswerer(finds=looked.append), blind) == ["red", "a cup"]
    assert not looked


# ------------------------------------------------------------------------------------------------------------- debate


def debaters(first, second):
    """The verifier, whose bare answer is the first one's, beside a rival."""
    first.parts = {systems.RIVAL: second}
    return first


def test_where_two_models_differ_the_verifier_hears_both_in_both_orders_looks_and_decides():
    def scores(query):
        """Asked bare it holds red for likeliest; of an argument it believes blue."""
        return [0.0, -1.0, -2.0] if query.question == COLOUR.question else [-2.0, 0.0]

    rival = FakeAnswerer(likes(blue=0.0))
    fake = debaters(FakeAnswerer(scores), rival)
    assert debate.answer(fake, [COLOUR]) == ["blue"]
    assert fake.queries[0] == rival.queries[0] == COLOUR
    heard = [query.question for query in fake.queries[1:]]
    assert heard == [
        f"One person says red, another says blue. {COLOUR.question}",
        f"One person says blue, another says red. {COLOUR.question}",
    ]
    assert [query.options for query in fake.queries[1:]] == [("red", "blue")] * 2  # nobody argued for green
    assert all(query.image is IMAGE for query in fake.queries)
    assert len(rival.queries) == 1


def test_who_is_heard_last_does_not_win_for_it():
    """A verifier that believes whoever spoke last, and red a little more, says red."""

    def scores(query):
        if query.question == COLOUR.question:
            return [-1.0, 0.0, -9.0]
        believed = {"blue": 3.0, "red": 0.5} if "another says red" not in query.question else {"blue": 0.0, "red": 4.0}
        return [believed[option] for option in query.options]

    assert debate.answer(debaters(FakeAnswerer(scores), FakeAnswerer(likes(red=0.0))), [COLOUR]) == ["red"]


def test_of_a_free_question_both_say_what_they_see():
    for liked, other in (("a cup", "a table"), ("a table", "a cup")):
        fake = FakeAnswerer(likes(**{liked: 0.0, other: -1.0}), lambda _: "a table")
        assert debate.answer(debaters(fake, FakeAnswerer()), [FREE]) == [liked]
        assert [query.question for query in fake.queries[1:]] == [
            f"One person says a table, another says a cup. {FREE.question}",
            f"One person says a cup, another says a table. {FREE.question}",
        ]
        assert all(query.options == ("a table", "a cup") and query.image is IMAGE for query in fake.queries[1:])


def test_where_both_say_the_same_or_nothing_nobody_argues():
    for text in ("a cup", ""):
        fake, rival = (FakeAnswerer(generates=lambda _, text=text: text) for _ in range(2))
        assert debate.answer(debaters(fake, rival), [FREE, COLOUR]) == [text, "red"]
        assert not any("says" in query.question for query in fake.queries + rival.queries)


# ------------------------------------------------------------------------------------------------------ chain, tools


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("red cup at (10, 20, 30, 40); so red", "red"),
        ("a dog at (1, 2, 3, 4); so it seems; so yes ", "yes"),
        ("no dog anywhere; so no", "no"),
        ("so ", ""),
        ("", ""),
    ],
)
def test_what_follows_the_last_so_is_the_answer(text, answer):
    fake = FakeAnswerer(generates=lambda _: text)
    assert chain.answer(fake, [COLOUR]) == [answer]
    assert fake.max_tokens == chain.MAX_TOKENS


@pytest.mark.parametrize("text", ["red cup at (10, 20, 30, 40); red cup at (1", "red", "a sofa also red"])
def test_a_chain_that_never_ends_gives_no_answer(text):
    assert chain.answer(FakeAnswerer(generates=lambda _: text), [COLOUR]) == [""]


def test_what_tools_say_of_each_image_stands_before_its_question():
    other = np.zeros((4, 4, 3), np.uint8)
    fake = FakeAnswerer(describes=lambda image: "Seen: nothing." if image is other else "Seen: 1 red cup.")
    assert tools.answer(fake, [COLOUR, replace(FREE, image=other)]) == ["red", "a cup"]
    assert [query.question for query in fake.queries] == [
        "Seen: 1 red cup. What colour is the cup?",
        "Seen: nothing. What is this?",
    ]
    assert fake.queries[0].options == COLOUR.options
    assert fake.queries[0].image is IMAGE


def test_tools_are_loaded_once(monkeypatch):
    loaded = []

    def open_tools(*names):
        loaded.append(names)
        return lambda images: ["Seen: nothing."] * len(images)

    monkeypatch.setattr(answerer, "open_tools", open_tools)
    with_tools = Answerer(model=None, detector="folder", ocr="tesseract")
    assert with_tools.describe([IMAGE]) + with_tools.describe([IMAGE, None]) == ["Seen: nothing."] * 3
    assert loaded == [("folder", "tesseract")]


def test_tools_without_a_detector_are_refused():
    with pytest.raises(BadInput, match="stage 1"):
        tools.answer(Answerer(model=None), [COLOUR])
