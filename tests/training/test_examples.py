"""Lessons: what is drawn of scenes, and the file that they stand in."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from pstgen.core import plugins
from pstgen.core.config import BuildConfig
from pstgen.core.records import BadInput, Item, Refusals, Truth
from pstgen.dataset import rationale
from pstgen.questions import wording
from pstgen.training import examples
from pstgen.training.examples import FILE, Course

WORLD = BuildConfig(source="world", scenes=10, size=64, seed=77, families=("existence", "count", "colour", "relation"))


class First:
    """An expectation of the first answer, whatever is asked."""

    def expect(self, _question, answers):
        return (1.0, *(0.0 for _ in answers[1:]))


def whole(things, _what, _total):
    return things


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
def lessons(cache):
    told = Course(cache / "course")
    return [told.lesson(n) for n in range(len(told))]


@pytest.fixture
def scenes():
    return list(plugins.load("sources", "world").scenes(WORLD, lambda _: True, Refusals()))


def test_every_scene_has_its_lesson_and_any_can_be_read_first(lessons, cache):
    assert [lesson.scene.id for lesson in lessons] == [f"world/{n}" for n in range(WORLD.scenes)]
    assert Course(cache / "course").lesson(7) == lessons[7]
    assert all(1 <= len(lesson.asked) <= examples.DRAWN for lesson in lessons)


def test_lessons_are_written_whole_or_not_at_all(cache, tmp_path):
    """One that breaks off leaves no file to be taken for a course; what comes after makes it anew."""

    def broken(things, _what, _total):
        for n, one in enumerate(things):
            if n == 5:
                raise KeyboardInterrupt
            yield one

    with pytest.raises(KeyboardInterrupt):
        examples.prepare(WORLD, 0.5, tmp_path, broken)
    assert not (tmp_path / FILE).exists()
    with pytest.raises(BadInput):
        Course(tmp_path)
    assert len(examples.prepare(WORLD, 0.5, tmp_path, whole)) == WORLD.scenes
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_bytes() == (cache / "course" / FILE).read_bytes()


def test_what_is_there_is_not_drawn_again(cache, tmp_path):
    (tmp_path / FILE).write_bytes((cache / "course" / FILE).read_bytes().splitlines(keepends=True)[0])

    def never(*_):
        raise AssertionError

    assert len(examples.prepare(WORLD, 0.5, tmp_path, never)) == 1


@pytest.mark.parametrize("change", [{"seed": 78}, {"families": ("existence",)}])
def test_another_seed_and_other_families_make_other_lessons(lessons, tmp_path, change):
    told = examples.prepare(msgspec.structs.replace(WORLD, **change), 0.5, tmp_path, whole)
    assert told.lesson(0).asked != lessons[0].asked
    assert {one.family for n in range(len(told)) for one in told.lesson(n).asked} <= {
        *change.get("families", WORLD.families)
    }


def test_a_scene_is_asked_the_same_whatever_stands_beside_it(scenes):
    expected = First()
    alone = examples.draw(scenes[4], WORLD, 0.5, expected)
    assert alone == [examples.draw(scene, WORLD, 0.5, expected) for scene in scenes][4]


def test_a_folder_without_lessons_is_refused_by_name(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BadInput, match=str(folder)):
            Course(folder)


def test_a_source_that_nothing_can_be_asked_of_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"no scene can be asked about existence"):
        examples.prepare(msgspec.structs.replace(WORLD, scenes=0, families=("existence",)), 0.5, tmp_path, whole)
    assert not (tmp_path / FILE).exists()


def test_a_scene_of_which_nothing_is_known_has_no_lesson(scenes):
    nothing = replace(scenes[0], instances=(), complete=False, captions=())
    assert examples.draw(nothing, msgspec.structs.replace(WORLD, families=("colour",)), 1.0, First()) is None


def test_the_truth_is_among_few_options_and_so_is_what_is_expected(lessons):
    for lesson in lessons:
        for one in lesson.asked:
            assert one.answer in one.options
            assert one.expected in one.options
            assert 2 <= len(one.options) <= examples.MOST_OPTIONS
            assert len(set(one.options)) == len(one.options)


def test_answers_are_true_of_the_scene(lessons, scenes):
    """Oracle: the family's own facts; where a question has that answer, a fact does."""
    for lesson, scene in zip(lessons, scenes, strict=True):
        facts = {
            (fact.family, fact.truth.answer)
            for name in WORLD.families
            for fact in plugins.load("families", name).ask(scene)
            if fact.truth.known
        }
        assert {(one.family, one.answer) for one in lesson.asked} <= facts


def test_the_lure_is_what_is_expected(scenes):
    """Whoever expects the first answer is told the first answer, and every frame that suggests one suggests it."""
    drawn = [examples.draw(scene, WORLD, 0.0, First()) for scene in scenes]
    facts = [fact for scene in scenes for fact in examples._drawn(scene, WORLD, examples._rng(scene, WORLD))]
    asked = [one for lesson in drawn for one in lesson.asked]
    assert len(asked) == len(facts)
    for one, fact in zip(asked, facts, strict=True):
        assert one.answer == fact.truth.answer
        assert one.expected == plugins.load("families", fact.family).answers(fact.form, fact.about)[0]


@pytest.mark.parametrize(("plain", "least", "most"), [(1.0, 1.0, 1.0), (0.5, 0.4, 0.75), (0.0, 0.0, 0.35)])
def test_the_share_of_plain_questions_is_as_told(scenes, plain, least, most):
    """The plain frame is one of those that the others are drawn from."""
    told = []
    for scene in scenes:
        facts = examples._drawn(scene, WORLD, examples._rng(scene, WORLD))
        for fact, one in zip(facts, examples.draw(scene, WORLD, plain, First()).asked, strict=True):
            told.append(one.question in {wording.said(fact, wording.NEUTRAL, one.expected, n) for n in range(99)})
    assert least <= np.mean(told) <= most


def test_a_chain_ends_before_the_answer(scenes):
    """With its answer behind it, it is the chain that the scene's item has."""
    for scene in scenes:
        coloured = examples.draw(scene, WORLD, 1.0, First())
        facts = examples._drawn(scene, WORLD, examples._rng(scene, WORLD))
        for fact, one in zip(facts, coloured.asked, strict=True):
            assert one.chain
            assert "; so " not in one.chain
            item = Item(
                item_id="", pair_id="", role="control", scene_id=scene.id, image="", family=fact.family, form=fact.form,
                about=fact.about, frame="", question="", neutral="", options=one.options, answer=one.answer, lure="",
                evidence=fact.evidence, mark=fact.mark,
            )  # fmt: skip
            assert f"{one.chain}; so {one.answer}" == rationale.chain(item, scene)


def test_things_have_the_colour_that_is_known_of_them(lessons, scenes):
    """Of the world all are; where nothing is known there is no name."""
    for lesson, scene in zip(lessons, scenes, strict=True):
        for told, thing in zip(lesson.scene.instances, scene.instances, strict=True):
            assert told.colour in {thing.colour, ""}
            assert replace(told, colour=thing.colour) == thing
    assert any(thing.colour for lesson in lessons for thing in lesson.scene.instances)


def test_a_scene_is_asked_sentence_by_sentence_in_turn(scenes):
    """No sentence has two questions more than another that could still be asked."""
    for scene in scenes:
        facts = examples._drawn(scene, WORLD, examples._rng(scene, WORLD))
        assert len(set(facts)) == len(facts) <= examples.DRAWN
        assert all(fact.truth != Truth(None) for fact in facts)
        assert len({(fact.family, fact.form) for fact in facts}) > 1
