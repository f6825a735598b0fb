"""Systems: what each plans, and how each answers a speaker whose thoughts are known."""

from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core import plugins
from pstgen.core.records import BadInput
from pstgen.models import answerer
from pstgen.models.answerer import Query, Speaker, crop
from pstgen.training.systems import Plan, agent, chain, debate, question_only, tools

NAMES = plugins.names("systems")
ONCE = [name for name in NAMES if name not in {"agent", "debate", "chain", "tools", "question_only"}]
IMAGE = np.arange(20 * 30 * 3, dtype=np.uint32).reshape(20, 30, 3).astype(np.uint8)
COLOUR = Query("q1", "What colour is the cup?", ("red", "blue", "green"), IMAGE)
FREE = Query("q2", "What is this?", (), IMAGE)


class Voice:
    """A speaker that thinks of a query what it is told to, and keeps what it was asked.

    thinks: query → score of every option. says: query → free text. sees: image → what tools say.
    """

    def __init__(self, thinks=None, says=lambda _: "a cup", sees=lambda _: "Seen: 1 cup."):
        self.thinks = thinks or (lambda query: [-float(n) for n, _ in enumerate(query.options)])
        self.says, self.sees, self.asked, self.calls = says, sees, [], 0

    def tools(self, images):
        return [self.sees(image) for image in images]

    def scores(self, queries):
        self.asked += queries
        self.calls += bool(queries)
        return [tuple(self.thinks(query)) for query in queries]

    def say(self, queries, most=6):
        self.asked += queries
        self.calls += bool(queries)
        self.most = most
        return [self.says(query) for query in queries]

    def answers(self, queries):
        return [
            query.options[int(np.argmax(self.scores([query])[0]))] if query.options else self.say([query])[0]
            for query in queries
        ]


def likes(**liked):
    """Thinks highest of these options, in proportion; of all others nothing."""
    return lambda query: [float(liked.get(option, -9)) for option in query.options]


# ---------------------------------------------------------------------------------------------------------- every one


@pytest.mark.parametrize("name", NAMES)
def test_a_system_is_one_file_with_its_sentence_a_plan_and_an_answer(name):
    system = plugins.load("systems", name)
    assert system.__doc__
    assert isinstance(system.PLAN, Plan)
    assert callable(system.answer)
    for field, kind in get_type_hints(Plan).items():
        assert getattr(system.PLAN, field) in (get_args(kind) or {True, False, *NAMES, ""})


def test_all_that_is_compared_is_there():
    assert {
        *("standard", "tools", "agent", "chain", "debate", "self_supervised", "perceptual_reward"),
        *("standard_longer", "random_targets", "shuffled_masks", "question_only", "stage1_only", "stage2_only"),
    } <= set(NAMES)


def test_controls_differ_from_what_they_control_in_one_thing():
    plan = {name: plugins.load("systems", name).PLAN for name in NAMES}
    reward = plan["perceptual_reward"]
    assert plan["standard"] == Plan()
    assert {name: replace(one, control=False) for name, one in plan.items() if one.control} == {
        "random_targets": replace(reward, corrupt="random"),
        "shuffled_masks": replace(reward, corrupt="shuffled"),
        "stage1_only": replace(reward, reward=False),
        "stage2_only": replace(reward, first=""),
        "standard_longer": Plan(longer=True),
        "question_only": Plan(sees=False),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_control_calls_itself_one(name):
    system = plugins.load("systems", name)
    assert system.__doc__.startswith("Control: ") == system.PLAN.control


@pytest.mark.parametrize("name", NAMES)
def test_whose_weights_answer_is_trained_by_itself(name):
    of = plugins.load("systems", name).PLAN.of
    assert not of or plugins.load("systems", of).PLAN.of == ""


@pytest.mark.parametrize("name", NAMES)
def test_answers_come_in_the_order_of_the_queries_and_are_options(name):
    options = [("red", "blue"), ("yes", "no"), ("1", "2", "3", "4"), (), ("no", "yes"), ()]
    queries = [Query(f"q{n}", f"Question {n}?", some, IMAGE) for n, some in enumerate(options)]
    best = {"red": 1, "no": 1, "3": 1}

    def says(query):  # who speaks freely says the best option too
        return (
            f"a cup at (1, 2, 3, 4); so {max(query.options, key=lambda o: best.get(o, 0))}" if query.options else "so x"
        )

    told = plugins.load("systems", name).answer(Voice(likes(**best), says), queries)
    assert [told[n] for n in (0, 1, 2, 4)] == ["red", "no", "3", "no"]
    assert len(told) == len(queries)
    assert all(isinstance(one, str) for one in told)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_asked_is_nothing_answered(name):
    assert plugins.load("systems", name).answer(Voice(), []) == []


@pytest.mark.parametrize("name", ONCE)
def test_most_systems_ask_once_as_they_are_asked(name):
    voice = Voice()
    assert plugins.load("systems", name).answer(voice, [COLOUR, FREE]) == ["red", "a cup"]
    assert voice.asked == [COLOUR, FREE]


def test_question_only_never_shows_the_image():
    voice = Voice()
    question_only.answer(voice, [COLOUR, FREE])
    assert [one.image for one in voice.asked] == [None, None]
    assert [one.question for one in voice.asked] == [COLOUR.question, FREE.question]


# -------------------------------------------------------------------------------------------------------------- agent


def test_a_crop_is_the_part_that_begins_there():
    """A share of 0.6 of each side, cut out of (20, 30) pixels."""
    for y, x in agent.CROPS:
        part = agent.crop(IMAGE, y, x)
        top, left = int(y * 20), int(x * 30)
        assert part.shape == (12, 18, 3)
        assert (part == IMAGE[top : top + 12, left : left + 18]).all()
        assert part.flags["C_CONTIGUOUS"]
    assert agent.crop(None, 0.2, 0.2) is None


@given(st.integers(5, 60), st.integers(5, 60))
def test_crops_cover_the_whole_image_but_for_a_border(height, width):
    """Every pixel is in a crop, save what rounding leaves at the lower and right edges."""
    seen = np.zeros((height, width), bool)
    for y, x in agent.CROPS:
        part = agent.crop(seen[..., None], y, x)
        top, left = int(y * height), int(x * width)
        assert part.shape == (int(0.6 * height), int(0.6 * width), 1)
        seen[top : top + part.shape[0], left : left + part.shape[1]] = True
    assert seen[: height - 2, : width - 2].all()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_shares_of_options_sum_to_one(scores):
    told = agent.normalized(scores)
    assert np.exp(told).sum() == pytest.approx(1)
    assert np.allclose(np.diff(told), np.diff(scores), atol=1e-6)


def test_the_agent_lets_the_surest_crop_and_the_whole_decide():
    """The whole is torn between red and blue; one crop is sure of blue, the others lean to red."""
    corner = agent.crop(IMAGE, 0.4, 0.4)

    def thinks(query):
        if query.image.shape == IMAGE.shape:
            return [0.0, -0.1, -5.0]
        return [-9.0, 0.0, -9.0] if (query.image == corner).all() else [0.0, -0.5, -5.0]

    voice = Voice(thinks)
    assert agent.answer(voice, [COLOUR]) == ["blue"]
    assert len(voice.asked) == 1 + len(agent.CROPS)
    assert all(one.options == COLOUR.options and one.question == COLOUR.question for one in voice.asked)


def test_a_crop_that_is_unsure_does_not_overrule_the_whole():
    def thinks(query):
        return [0.0, -4.0, -4.0] if query.image.shape == IMAGE.shape else [-0.1, 0.0, -0.1]

    assert agent.answer(Voice(thinks), [COLOUR]) == ["red"]


def test_how_large_scores_are_does_not_make_a_crop_surer():
    """Scores of long options are far below those of short ones: only their shares count."""
    corner = agent.crop(IMAGE, 0.0, 0.0)

    def thinks(query):
        if query.image.shape == IMAGE.shape:
            return [0.0, -0.1, -5.0]
        return [-90.0, -80.0, -90.0] if (query.image == corner).all() else [0.0, -0.5, -5.0]

    assert agent.answer(Voice(thinks), [COLOUR]) == ["blue"]


def test_of_a_free_question_the_surest_crop_and_the_whole_decide_between_what_was_said():
    """One corner says a cup and is sure of it; the whole says a table and is not; the other crops say what the whole says."""
    corner = agent.crop(IMAGE, 0.4, 0.4)

    def close(query):
        return query.image.shape == corner.shape and (query.image == corner).all()

    voice = Voice(
        lambda query: [-5.0, 0.0] if close(query) else [0.0, -0.1],
        lambda query: "a cup" if close(query) else "a table",
    )
    assert agent.answer(voice, [FREE]) == ["a cup"]
    views = 1 + len(agent.CROPS)
    assert [one.options for one in voice.asked] == [()] * views + [("a table", "a cup")] * views
    assert voice.calls == 2


def test_a_free_answer_of_an_unsure_crop_does_not_overrule_the_whole():
    voice = Voice(
        lambda query: [0.0, -4.0] if query.image.shape == IMAGE.shape else [-0.1, 0.0],
        lambda query: "a table" if query.image.shape == IMAGE.shape else "a cup",
    )
    assert agent.answer(voice, [FREE]) == ["a table"]


@pytest.mark.parametrize("said", ["a cup", ""])
def test_an_agent_of_one_mind_says_it_or_nothing(said):
    assert agent.answer(Voice(says=lambda _: said), [FREE]) == [said]


def test_an_agent_that_sees_nothing_answers_too():
    blind = [replace(COLOUR, image=None), replace(FREE, image=None)]
    assert agent.answer(Voice(), blind) == ["red", "a cup"]


# ------------------------------------------------------------------------------------------------------------- debate


def test_the_two_likeliest_are_argued_for_in_both_orders_and_the_verifier_decides():
    def thinks(query):
        """Asked bare it holds red for likeliest; of an argument it believes blue."""
        return [0.0, -1.0, -2.0] if query.question == COLOUR.question else [-2.0, 0.0]

    voice = Voice(thinks)
    assert debate.answer(voice, [COLOUR]) == ["blue"]
    heard = [one.question for one in voice.asked[1:]]
    assert heard == [
        f"One person says red, another says blue. {COLOUR.question}",
        f"One person says blue, another says red. {COLOUR.question}",
    ]
    assert [one.options for one in voice.asked[1:]] == [("red", "blue")] * 2  # nobody argued for green
    assert all(one.image is IMAGE for one in voice.asked)


def test_who_is_heard_last_does_not_win_for_it():
    """A verifier that believes whoever spoke last, and red a little more, says red."""

    def thinks(query):
        if query.question == COLOUR.question:
            return [-1.0, 0.0, -9.0]
        believed = {"blue": 3.0, "red": 0.5} if "another says blue" in query.question else {"blue": 0.0, "red": 4.0}
        return [believed[option] for option in query.options]

    assert debate.answer(Voice(thinks), [COLOUR]) == ["red"]


def test_of_a_free_question_one_answers_from_the_whole_the_other_from_its_middle():
    middle = crop(IMAGE, 0.2, 0.2)

    def says(query):
        return "a table" if query.image.shape == IMAGE.shape else "a cup"

    for liked, other in (("a cup", "a table"), ("a table", "a cup")):
        voice = Voice(likes(**{liked: 0.0, other: -1.0}), says)
        assert debate.answer(voice, [FREE]) == [liked]
        assert (voice.asked[1].image == middle).all()
        assert [one.question for one in voice.asked[2:]] == [
            f"One person says a table, another says a cup. {FREE.question}",
            f"One person says a cup, another says a table. {FREE.question}",
        ]
        assert all(one.options == ("a table", "a cup") and one.image is IMAGE for one in voice.asked[2:])
        assert voice.calls == 3


def test_where_both_say_the_same_or_nothing_nobody_argues():
    only = replace(COLOUR, options=("red",))
    for said in ("a cup", ""):
        voice = Voice(says=lambda _, said=said: said)
        assert debate.answer(voice, [FREE, only]) == [said, "red"]
        assert not any("says" in one.question for one in voice.asked)


# ------------------------------------------------------------------------------------------------------ chain, tools


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("red cup at (10, 20, 30, 40); so red", "red"),
        ("a dog at (1, 2, 3, 4); so it seems; so yes ", "yes"),
        ("no dog anywhere; so no", "no"),
        ("so ", ""),
        ("", ""),
    ],
)
def test_what_follows_the_last_so_is_the_answer(said, answer):
    voice = Voice(says=lambda _: said)
    assert chain.answer(voice, [COLOUR]) == [answer]
    assert voice.most == chain.MOST_TOKENS


@pytest.mark.parametrize("said", ["red cup at (10, 20, 30, 40); red cup at (1", "red", "a sofa also red"])
def test_a_chain_that_never_ends_gives_no_answer(said):
    assert chain.answer(Voice(says=lambda _: said), [COLOUR]) == [""]


def test_what_tools_say_of_each_image_stands_before_its_question():
    other = np.zeros((4, 4, 3), np.uint8)
    voice = Voice(sees=lambda image: "Seen: nothing." if image is other else "Seen: 1 red cup.")
    assert tools.answer(voice, [COLOUR, replace(FREE, image=other)]) == ["red", "a cup"]
    assert [one.question for one in voice.asked] == [
        "Seen: 1 red cup. What colour is the cup?",
        "Seen: nothing. What is this?",
    ]
    assert voice.asked[0].options == COLOUR.options
    assert voice.asked[0].image is IMAGE


def test_tools_are_loaded_once(monkeypatch):
    loaded = []

    def opened(*named):
        loaded.append(named)
        return lambda images: ["Seen: nothing."] * len(images)

    monkeypatch.setattr(answerer, "opened", opened)
    voice = Speaker(model=None, detector="folder", ocr="tesseract")
    assert voice.tools([IMAGE]) + voice.tools([IMAGE, None]) == ["Seen: nothing."] * 3
    assert loaded == [("folder", "tesseract")]


def test_tools_without_a_detector_are_refused():
    with pytest.raises(BadInput, match="stage 1"):
        tools.answer(Speaker(model=None), [COLOUR])
