"""A judge that looks through a model: what it opens, what its verdicts are kept under, and how it is asked."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from PIL import Image

from pstgen.core.config import build_config
from pstgen.core.records import Item
from pstgen.models import looking
from pstgen.models.asking import WAYS
from pstgen.models.looking import GREY, OTHERS, VIEWS, Look
from pstgen.questions.priors import counts
from pstgen.scenes import pixels

NOTHING = counts.fit({})  # a prior that expects nothing


@dataclass
class Fake:
    """Prefers the first option by the brightness of what it is shown, and keeps what that was."""

    name: str = "fake"
    revision: str = "1"
    chats: bool = True
    shown: list = field(default_factory=list)
    batches: list = field(default_factory=list)

    def score(self, questions, options, images):
        self.batches.append(len(questions))
        self.shown += images
        return [(0.0 if image is None else float(image.mean()), 1.0) for image, _ in zip(images, options, strict=True)]

    def generate(self, questions, images, _):
        self.shown += images
        return ["yes" if question.startswith("Is there a cup") else "what?" for question in questions]


def item(n, image="", question="Is there a cup?", options=("yes", "no"), **other):
    told = {"pair_id": f"p{n}", "role": "stress", "scene_id": f"s{n}", "family": "existence", "form": "given"}
    told |= {"about": ("cup",), "frame": "neutral", "neutral": question, "lure": "no", "answer": options[0]}
    return Item(item_id=f"i{n}", image=str(image), question=question, options=options, **told | other)


@pytest.fixture
def photos(tmp_path):
    files = [tmp_path / f"{n}.png" for n in range(6)]
    for n, file in enumerate(files):
        Image.fromarray(np.full((8, 8, 3), 40 * n, np.uint8)).save(file)
    return files


def look(view="seeing", way="options", batch_size=8, **other):
    return Look(f"vlm/{view}", Fake(), view, way, batch_size, **other)


def test_a_verdict_is_kept_under_the_images_bytes_not_its_name(photos):
    judge, (one, other, *_) = look(), photos
    before = judge.key(item(0, one))
    assert judge.key(item(1, other)) != before
    other.write_bytes(one.read_bytes())
    assert judge.key(item(1, other)) == before
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(one)
    assert judge.key(item(0, one)) != before


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "change",
    [{"question": "Is there no cup?"}, {"options": ("no", "yes")}, {"options": ("yes", "maybe"), "lure": "maybe"}],
)
def test_a_verdict_is_kept_under_the_words_and_the_options_order(photos, view, change):
    judge = look(view, others=(str(photos[1]),))
    assert judge.key(item(0, photos[0])) != judge.key(replace(item(0, photos[0]), **change))


@pytest.mark.parametrize("view", VIEWS)
def test_a_verdict_is_kept_under_the_server_that_gave_it(photos, view):
    """Two servers may offer different models by one name."""
    keys = {
        look(view, others=(str(photos[1]),), server=server).key(item(0, photos[0]))
        for server in ("http://a:1/v1", "http://a:2/v1", "")
    }
    assert len(keys) == 3


@pytest.mark.parametrize("view", VIEWS)
def test_a_verdict_does_not_depend_on_what_an_item_is_called_or_what_its_answer_is(photos, view):
    judge = look(view, others=(str(photos[1]),))
    told = {"item_id": "other", "pair_id": "q", "answer": "no", "lure": "yes", "role": "control"}
    assert judge.key(item(0, photos[0])) == judge.key(replace(item(0, photos[0]), **told))


def test_another_image_of_another_scene_is_another_key(photos):
    first, second = (look("other-image").learn([], [str(photo)], NOTHING) for photo in photos[:2])
    assert first.key(item(0)) != second.key(item(0))


def test_who_is_blind_opens_no_image(photos, monkeypatch):
    monkeypatch.setattr(pixels, "read", lambda file: pytest.fail(f"opened {file}"))
    for view in ("no-image", "grey-image"):
        judge = look(view)
        list(judge.answer([item(0, photos[0])]))
        judge.key(item(0, photos[0]))
        assert judge.model.shown[0] is (None if view == "no-image" else GREY)


def test_who_looks_at_another_scene_shows_twins_the_same_one_of_a_few(photos):
    judge = look("other-image").learn([], [*map(str, reversed(photos)), str(photos[0])], NOTHING)
    assert judge.others == tuple(map(str, photos[:OTHERS]))
    items = [item(n, "nowhere.png", f"Question {n // 2}?") for n in range(60)]
    list(judge.answer(items))
    grey = [int(image[0, 0, 0]) for image in judge.model.shown]
    assert grey[::2] == grey[1::2]
    assert set(grey) == {0, 40, 80, 120}


def test_every_item_has_a_verdict_in_its_place_and_a_batch_opens_an_image_once(photos, monkeypatch):
    opened, plain = [], pixels.read
    monkeypatch.setattr(pixels, "read", lambda file: opened.append(file) or plain(file))
    judge = look(batch_size=4)
    items = [item(n, photos[n // 2 % 2]) for n in range(10)]
    verdicts = list(judge.answer(items))
    assert judge.model.batches == [4, 4, 2]
    assert [v.item_id for v in verdicts] == [i.item_id for i in items]
    assert [v.logprobs[0] for v in verdicts] == [40.0 * (n // 2 % 2) for n in range(10)]
    assert {v.judge for v in verdicts} == {"vlm/seeing"}
    assert len(opened) == 5
    shown = judge.model.shown
    assert shown[0] is shown[1]


def test_images_are_opened_batch_by_batch(photos):
    """The first verdict is there before the next batch is read."""
    judge = look(batch_size=1)
    verdicts = judge.answer([item(0, photos[0]), item(1, "missing.png")])
    assert next(verdicts).item_id == "i0"


def test_an_answer_that_names_no_option_is_a_verdict_without_a_choice():
    judge = look("no-image", "generate")
    first, second = judge.answer([item(0), item(1, question="What is it?")])
    assert first.choice == 0
    assert (second.logprobs, second.choice) == ((), None)


def test_a_revision_says_how_the_model_is_asked():
    assert len({look(way=way).revision for way in WAYS}) == len(WAYS)


def test_a_model_is_asked_in_every_way_that_it_can_be_asked_in():
    judge = look()
    assert [other.way for other in judge.in_every_way()] == list(WAYS)
    judge.model.ways = ("generate",)
    assert [other.way for other in judge.in_every_way()] == ["generate"]


def test_only_the_view_of_the_items_own_image_sees():
    assert [view for view in VIEWS if look(view).sees] == ["seeing"]


@pytest.mark.parametrize(("ask", "way"), [("options", "options"), ("generate", "generate"), (None, "letters")])
def test_a_run_says_how_a_model_is_asked_or_the_model_does(ask, way):
    assert looking.way(build_config(**({"ask": ask} if ask else {})).judges, Fake()) == way


def test_details_tell_the_way_and_what_the_check_found(tiny):
    assert look().details() == {"way": "options"}
    checked = Look("vlm/seeing", tiny("llava"), "seeing", "letters", 8).details()
    assert checked["way"] == "letters"
    assert checked["check"]["seeing"] == "shared"


def test_a_revision_and_an_adapter_are_the_vlms_alone():
    judges = build_config(adapter="mine", vlm_revision="v2", dtype="bfloat16", device="cpu").judges
    seeing, blind = (looking.model_options(judges, sees=sees) for sees in (True, False))
    assert (seeing.revision, seeing.adapter, seeing.dtype) == ("v2", "mine", "bfloat16")
    assert (blind.revision, blind.adapter, blind.dtype, blind.device) == (None, None, "bfloat16", "cpu")
