"""Examples: what is drawn of scenes, and the file that they are in."""

from dataclasses import replace

import numpy as np
import pytest

from pstgen.core.config import build_config, with_settings
from pstgen.core.records import BadInput, Item, Truth
from pstgen.core.report import Refusals
from pstgen.dataset import rationale
from pstgen.questions import wording
from pstgen.scenes import sources
from pstgen.training import examples
from pstgen.training.examples import FILE, Examples

WORLD = build_config(source="world", scenes=10, size=64, seed=77, families=("existence", "count", "colour", "relation"))


class First:
    """An expectation of the first answer, whatever is asked."""

    def expect(self, _question, answers):
        return (1.0, *(0.0 for _ in answers[1:]))


def whole(scenes, _step, _total):
    return scenes


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """Scenes are drawn once, in a cache of these tests' own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        examples.prepare(WORLD, 0.5, folder / "course", whole)
    return folder


@pytest.fixture(autouse=True)
def cached(cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture
def drawn(cache):
    return list(Examples(cache / "course"))


@pytest.fixture
def scenes():
    return list(sources.load("world").scenes(WORLD, lambda _: True, Refusals()))


def test_every_scene_has_its_example_and_any_can_be_read_first(drawn, cache):
    assert [example.scene.id for example in drawn] == [f"world/{n}" for n in range(WORLD.source.scenes)]
    assert Examples(cache / "course")[7] == drawn[7]
    assert all(1 <= len(example.questions) <= examples.MAX_QUESTIONS for example in drawn)


def test_examples_are_written_whole_or_not_at_all(cache, tmp_path):
    """Writing that breaks off leaves no file that could be taken for all of them; the next run makes it anew."""

    def broken(scenes, _step, _total):
        for n, scene in enumerate(scenes):
            if n == 5:
                raise KeyboardInterrupt
            yield scene

    with pytest.raises(KeyboardInterrupt):
        examples.prepare(WORLD, 0.5, tmp_path, broken)
    assert not (tmp_path / FILE).exists()
    with pytest.raises(BadInput):
        Examples(tmp_path)
    assert len(examples.prepare(WORLD, 0.5, tmp_path, whole)) == WORLD.source.scenes
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_bytes() == (cache / "course" / FILE).read_bytes()


def test_what_is_there_is_not_drawn_again(cache, tmp_path):
    (tmp_path / FILE).write_bytes((cache / "course" / FILE).read_bytes().splitlines(keepends=True)[0])

    def never(*_):
        raise AssertionError

    assert len(examples.prepare(WORLD, 0.5, tmp_path, never)) == 1


@pytest.mark.parametrize("change", [{"seed": 78}, {"families": ("existence",)}])
def test_another_seed_and_other_families_make_other_examples(drawn, tmp_path, change):
    others = examples.prepare(with_settings(WORLD, **change), 0.5, tmp_path, whole)
    assert others[0].questions != drawn[0].questions
    families = {question.family for example in others for question in example.questions}
    assert families <= {*change.get("families", WORLD.questions.families)}


def test_a_scene_is_asked_the_same_whatever_stands_beside_it(scenes):
    alone = examples.draw(scenes[4], WORLD, 0.5, First())
    assert alone == [examples.draw(scene, WORLD, 0.5, First()) for scene in scenes][4]


def test_a_folder_without_examples_is_refused_by_name(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BadInput, match=str(folder)):
            Examples(folder)


def test_a_source_that_nothing_can_be_asked_of_is_refused(scenes, tmp_path):
    everything = [examples.image_number(scene.path) for scene in scenes]
    with pytest.raises(BadInput, match=r"no scene can be asked about existence"):
        examples.prepare(with_settings(WORLD, families=("existence",)), 0.5, tmp_path, whole, everything)
    assert not (tmp_path / FILE).exists()


def test_a_scene_of_which_nothing_is_known_gives_no_example(scenes):
    nothing = replace(scenes[0], instances=(), complete=False, captions=())
    assert examples.draw(nothing, with_settings(WORLD, families=("colour",)), 1.0, First()) is None


def test_the_truth_is_among_few_options_and_so_is_what_is_expected(drawn):
    for question in (question for example in drawn for question in example.questions):
        assert {question.answer, question.expected} <= set(question.options)
        assert 2 <= len(question.options) <= examples.MAX_OPTIONS
        assert len(set(question.options)) == len(question.options)


def test_answers_are_true_of_the_scene(drawn, scenes):
    """Oracle: the family's own facts; where a question has that answer, a fact does."""
    for example, scene in zip(drawn, scenes, strict=True):
        facts = examples.known_facts(scene, WORLD.questions.families)
        answers = {(fact.family, fact.truth.answer) for fact in facts}
        assert {(question.family, question.answer) for question in example.questions} <= answers


def facts_of(scene):
    return examples._draw_facts(scene, WORLD, examples._generator(scene, WORLD))


def test_the_lure_is_what_is_expected(scenes):
    """Who expects the first answer has it as the lure, and every frame that suggests an answer suggests it."""
    drawn = [examples.draw(scene, WORLD, 0.0, First()) for scene in scenes]
    questions = [question for example in drawn for question in example.questions]
    facts = [fact for scene in scenes for fact in facts_of(scene)]
    assert len(questions) == len(facts)
    for question, fact in zip(questions, facts, strict=True):
        assert question.answer == fact.truth.answer
        assert question.expected == examples.possible_answers(fact)[0]


@pytest.mark.parametrize(("plain", "least", "most"), [(1.0, 1.0, 1.0), (0.5, 0.4, 0.75), (0.0, 0.0, 0.35)])
def test_the_share_of_plain_questions_is_as_wanted(scenes, plain, least, most):
    """The plain frame is one of those that the others are drawn from."""
    is_plain = []
    for scene in scenes:
        questions = examples.draw(scene, WORLD, plain, First()).questions
        for fact, question in zip(facts_of(scene), questions, strict=True):
            wordings = {wording.ask(fact, wording.NEUTRAL, question.expected, n) for n in range(99)}
            is_plain.append(question.text in wordings)
    assert least <= np.mean(is_plain) <= most


def test_a_chain_ends_before_the_answer(scenes):
    """With its answer behind it, it is the chain that the scene's item has."""
    for scene in scenes:
        questions = examples.draw(scene, WORLD, 1.0, First()).questions
        for fact, question in zip(facts_of(scene), questions, strict=True):
            assert question.chain
            assert "; so " not in question.chain
            item = Item(
                item_id="", pair_id="", role="control", scene_id=scene.id, image="", family=fact.family, form=fact.form,
                about=fact.about, frame="", question="", neutral="", options=question.options, answer=question.answer,
                lure="", evidence=fact.evidence, mark=fact.mark,
            )  # fmt: skip
            assert f"{question.chain}; so {question.answer}" == rationale.chain(item, scene)


def test_things_have_the_colour_that_is_known_of_them(drawn, scenes):
    """Of the world all are; where nothing is known there is no name."""
    for example, scene in zip(drawn, scenes, strict=True):
        for thing, original in zip(example.scene.instances, scene.instances, strict=True):
            assert thing.colour in {original.colour, ""}
            assert replace(thing, colour=original.colour) == original
    assert any(thing.colour for example in drawn for thing in example.scene.instances)


def test_a_scene_is_asked_sentence_by_sentence_in_turn(scenes):
    """No sentence has two questions more than another that could still be asked."""
    for facts in map(facts_of, scenes):
        assert len(set(facts)) == len(facts) <= examples.MAX_QUESTIONS
        assert all(fact.truth != Truth(None) for fact in facts)
        assert len({(fact.family, fact.form) for fact in facts}) > 1
