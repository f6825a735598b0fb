"""What an edit does not touch is asked of both twins: where it is well away, known, and one; else the reason is counted."""

from dataclasses import replace

import numpy as np
import pytest

from pstgen.core.config import EvalConfig
from pstgen.core.progress import silent
from pstgen.core.records import BadInput, Item, Verdict
from pstgen.dataset import store
from pstgen.dataset.rows import Row
from pstgen.evaluation import collateral, stress_summary, stress_test
from pstgen.models import looking
from pstgen.models.judges import vlm
from pstgen.scenes import png

PAINT = {"cup": (220, 30, 30), "dog": (30, 60, 220), "chair": (40, 160, 60), "book": (240, 220, 40)}


def item(name="a-a", about=("cup", "chair"), twin="remove", **more):
    return Item(
        item_id=name, pair_id="a", role="control", scene_id="world/1", image="", family="existence", form="given", about=about,
        frame="neutral", question="There is a chair. Is there a cup?", neutral="There is a chair. Is there a cup?",
        options=("yes", "no"), answer="yes", lure="yes", twin=twin, **more,
    )  # fmt: skip


def row(scene, of=None, paint=PAINT):
    """A scene as a picture in which each thing has the colour of its kind."""
    image = np.full((scene.height, scene.width, 3), 128, np.uint8)
    for thing in scene.instances:
        box = thing.region
        image[int(box.y) : int(box.bottom), int(box.x) : int(box.right)] = paint[thing.category]
    return Row(item=of or item(), scene=scene, image=png.encode(image), suffix=".png")


@pytest.fixture
def without(thing, scene):
    """The kitchen without a thing: a cup and a dog above, a chair below."""
    things = {
        "cup": thing("cup", 5, 5, id=1),
        "dog": thing("dog", 70, 5, id=2),
        "chair": thing("chair", 10, 70, id=3, colour="green"),
    }
    return lambda *kinds, **more: scene(*({**things, **more}[kind] for kind in {**things, **more} if kind not in kinds))


def test_a_question_about_what_is_left_is_drawn_and_none_about_what_was_taken_out(without):
    found = collateral.of_pair([row(without("cup")), row(without("dog"))])
    assert "chair" in found.question
    assert not {"cup", "dog"} & set(found.question.lower().replace("?", "").split())
    assert found.answer in found.options
    assert (found.twin, found) == ("remove", collateral.of_pair([row(without("cup")), row(without("dog"))]))


def test_every_question_that_is_drawn_has_the_answer_that_the_scene_gives(without):
    """Over many names of the pair, so that many questions are drawn: the chair is one, green, and in the lower left."""
    drawn = set()
    for n in range(60):
        own = item(name=f"{n}-a")
        of = replace(own, pair_id=str(n))
        drawn.add((q := collateral.of_pair([row(without("cup"), of), row(without("dog"), of)])).family)
        assert set(q.options) != {"yes", "no"}  # a habit of saying no must not pass for an eye
        if q.family == "count":
            assert q.answer == "1"
        elif q.family == "colour":
            assert q.answer == "green"
        elif q.family == "relation":
            assert q.answer in {"left", "lower"}
    assert {"count", "colour", "relation"} <= drawn


def test_a_thing_that_an_edit_comes_near_is_not_asked_about(without, thing):
    near = {"chair": thing("chair", 26, 5, id=3)}  # one pixel beside the cup that is taken out
    assert collateral.of_pair([row(without("cup", **near)), row(without("dog", **near))]) == collateral.EVERYTHING


def test_a_kind_of_which_one_was_taken_out_is_not_asked_about(without, thing):
    more = {"another": thing("cup", 70, 70, id=4)}
    found = collateral.of_pair([row(without("cup", "chair", **more)), row(without("dog", "chair", **more))])
    assert found == collateral.UNTOUCHED


def test_what_is_recoloured_is_seen_in_the_pixels_where_the_annotation_says_nothing(without):
    pair = [row(without()), row(without(), paint=PAINT | {"chair": (10, 10, 10)})]
    for n in range(20):
        of = replace(item(), pair_id=str(n))
        assert "chair" not in collateral.of_pair([replace(each, item=of) for each in pair]).question


def test_a_mirror_leaves_nothing_untouched(without, thing):
    turned = without(cup=thing("cup", 75, 5, id=1), dog=thing("dog", 10, 5, id=2), chair=thing("chair", 70, 70, id=3))
    assert collateral.of_pair([row(without()), row(turned)]) == collateral.EVERYTHING


def test_a_label_or_another_size_is_a_reason(without, scene, thing):
    labelled = [row(without(kind), item(label="there is a cup")) for kind in ("cup", "dog")]
    assert collateral.of_pair(labelled) == collateral.DRAWN
    small = scene(thing("chair", 10, 70, id=3, within=(90, 100)), width=90)
    assert collateral.of_pair([row(without("cup")), row(small)]) == collateral.UNLIKE


def test_every_edited_pair_of_a_set_has_a_question_or_a_reason(small_set):
    dataset = store.open(small_set)
    wanted = {item.pair_id for item in dataset.items()}
    drawn = collateral.draw(dataset, wanted, silent)
    edited = {item.pair_id: item.twin for item in dataset.items() if item.twin != "matched"}
    assert drawn.edited == len(edited) > 0
    assert len(drawn.questions) + drawn.left_out.total() == drawn.edited
    assert drawn.left_out[collateral.EVERYTHING] == sum(twin == "mirror" for twin in edited.values())
    assert {name: question.twin for name, question in drawn.questions.items()}.items() <= edited.items()


@pytest.fixture
def edited_set(without, tmp_path):
    """Two pairs of edited twins, of one of which the label leaves no question, and one pair of two scenes."""
    rows = []
    for pair, twin, label in (("a", "remove", ""), ("b", "paste", "there is a cup"), ("c", "matched", "")):
        for letter, role, gone in (("a", "control", "dog"), ("b", "stress", "cup")):
            answer = "yes" if role == "control" else "no"
            own = item(f"{pair}-{letter}", twin=twin, label=label)
            rows.append(row(without(gone), replace(own, pair_id=pair, role=role, answer=answer)))
    folder = tmp_path / "edited"
    folder.mkdir()
    counted = {name: {} for name in ("libraries", "settings", "origin", "judges", "funnel", "unknown", "unmade")}
    written = store.write_rows(folder, rows)
    store.seal(folder, store.Manifest(format=1, pstgen="0.1.0", items=written, refused=[], **counted))
    return folder


@pytest.fixture
def evaluate(edited_set, llava, monkeypatch, tmp_path):
    """Evaluate a model that says what `say(item)` says."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(vlm, "open_checked", lambda *_, **__: llava)

    def evaluated(say, folder=edited_set, **more):
        def answer(look, items):
            for each in items:
                said = say(each)
                given = tuple(float(option == said) for option in each.options) if said else ()
                yield Verdict(item_id=each.item_id, judge=look.name, logprobs=given)

        monkeypatch.setattr(looking.Look, "answer", answer)
        settings = {
            "folder": folder,
            "model": "tiny",
            "blind": False,
            "neutral": False,
            "collateral": True,
            "ask": "options",
        }
        return stress_test.evaluate(EvalConfig(**settings | more))

    return evaluated


def said(found):
    return " ".join(stress_summary.lines(found))


def test_who_answers_right_never_flips(evaluate):
    found = evaluate(lambda item: item.answer).collateral
    shares = {name: figure.share for name, figure in found.figures.items()}
    assert shares == {"flip": 0, "right": 1, "invalid_rate": 0, "flip/remove": 0}
    assert (found.edited, found.left_out) == (2, {collateral.DRAWN: 1})
    assert (found.figures["flip"].n, found.figures["right"].n) == (1, 2)
    assert found.questions.keys() == {"a"}
    assert found.answers == dict.fromkeys(("a-a", "a-b"), found.questions["a"].answer)


def test_who_answers_each_picture_differently_always_flips(evaluate):
    result = evaluate(lambda item: item.options[item.role == "stress"])
    found = result.collateral
    assert (found.figures["flip"].share, found.figures["flip/remove"].share) == (1, 1)
    assert "it answers twins differently in 100.0% [" in said(result)
    assert f"1 of 2 edited pairs have no such question: {collateral.DRAWN}." in said(result)


def test_an_answer_that_names_no_option_is_invalid_and_wrong(evaluate):
    found = evaluate(lambda _: "").collateral
    assert (found.figures["invalid_rate"].share, found.figures["right"].share, found.figures["flip"].share) == (1, 0, 0)


def test_a_set_without_edited_twins_says_so(evaluate, stress_set):
    found = evaluate(lambda item: item.answer, stress_set)
    assert (found.collateral.edited, found.collateral.figures) == (0, {})
    assert "No pair that was asked has edited twins" in said(found)


def test_nothing_beside_the_edits_is_asked_where_nobody_wants_it(evaluate):
    found = evaluate(lambda item: item.answer, collateral=False)
    assert found.collateral is None
    assert "edit" not in said(found)


def test_predictions_cannot_answer_what_is_not_in_the_set(small_set, tmp_path):
    with pytest.raises(BadInput, match="--collateral needs a --model"):
        stress_test.evaluate(EvalConfig(folder=small_set, predictions=tmp_path / "a.json", collateral=True))
