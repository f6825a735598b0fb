"""A model is asked for places in its own words, once, in the unit that it was trained on."""

import importlib.util
import sys
from pathlib import Path

import pytest

from pstgen.core.config import EvalConfig
from pstgen.core.progress import silent
from pstgen.core.records import Unavailable
from pstgen.dataset import store
from pstgen.evaluation import grounding_targets, place_answers, places, stress_test
from pstgen.models.huggingface import Model
from pstgen.models.judges import vlm

ROOT = Path(__file__).parents[1]


def loaded(name, file):
    """A module of the tests of models."""
    folder = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folder)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def dataset(small_set):
    return store.open(small_set)


@pytest.fixture(scope="module")
def placed(dataset):
    """By item id the rows whose answer a place shows."""
    return {row.item.item_id: row for row in dataset.rows() if not grounding_targets.left_out(row)}


@pytest.fixture
def wanted(placed):
    """A few pairs."""
    return set(sorted({row.item.pair_id for row in placed.values()})[:3])


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def loaded_once(request, monkeypatch):
    """A tiny LLaVA that no test loads anew; a test that does not want it loads its own."""
    monkeypatch.setattr(place_answers, "MAX_TOKENS", 12)
    if "tiny_llava" in request.fixturenames:
        llava = request.getfixturevalue("llava")
        monkeypatch.setattr(vlm, "open_checked", lambda *_, **__: llava)


def ask(dataset, wanted, folder, place="point", **more):
    return place_answers.answer(
        dataset, wanted, place, EvalConfig(model=str(folder), device="cpu", ask=place, **more), silent
    )


def test_every_item_with_a_place_is_asked_in_the_models_own_words(dataset, placed, wanted, tiny_llava, llava):
    given = ask(dataset, wanted, tiny_llava)
    items = [row for row in placed.values() if row.item.pair_id in wanted]
    assert given.texts.keys() == {row.item.item_id for row in items}
    assert (given.model, given.unit, given.sizes) == ("llava", "thousandths", {})
    first = items[0]
    prompt = places.prompt(first.item.question, "point", "thousandths", (0, 0))
    image = place_answers.pixels.decode(first.image)
    assert llava.generate([prompt], [image], place_answers.MAX_TOKENS) == [given.texts[first.item.item_id]]


def test_what_was_answered_before_is_not_asked_again_and_another_question_is(dataset, wanted, tiny_llava, monkeypatch):
    first = ask(dataset, wanted, tiny_llava)
    asked = []
    monkeypatch.setattr(
        Model, "generate", lambda _, questions, *__: [asked.append(question) or "" for question in questions]
    )
    assert ask(dataset, wanted, tiny_llava) == first
    assert asked == []
    ask(dataset, wanted, tiny_llava, "box")
    assert len(asked) == len(first.texts)
    assert all("[left, top, right, bottom]" in question for question in asked)


def test_an_interrupted_run_goes_on_with_what_is_left(dataset, wanted, tiny_llava, monkeypatch):
    calls = []

    def say(_, questions, *__):
        calls.append(len(questions))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return ["[1, 1]"] * len(questions)

    monkeypatch.setattr(Model, "generate", say)
    with pytest.raises(KeyboardInterrupt):
        ask(dataset, wanted, tiny_llava, batch_size=2)
    given = ask(dataset, wanted, tiny_llava, batch_size=2)
    assert set(given.texts.values()) == {"[1, 1]"}
    assert sum(calls) == len(given.texts) + 2  # the interrupted batch was asked twice


def test_a_damaged_line_is_asked_again_and_a_folder_that_cannot_be_written_is_no_failure(tmp_path):
    file = tmp_path / "places.jsonl"
    kept = place_answers.Texts(file)
    kept.add("a", "[1, 2]")
    kept.add("b", "[3, 4]")
    kept.close()
    file.write_bytes(file.read_bytes().replace(b'"b"', b'"b', 1))
    again = place_answers.Texts(file)
    assert again.known == {"a": "[1, 2]"}
    again.close()
    without = place_answers.Texts(file / "below")
    without.add("a", "[1, 2]")
    without.close()
    assert without.known == {"a": "[1, 2]"}


def test_qwen_is_asked_for_pixels_of_the_picture_as_it_sees_it(dataset, wanted, tmp_path, monkeypatch):
    """Of pictures of 64 x 64 its processor makes what its grid of patches says: as many pixels as the model has patches."""
    zoo = loaded("tiny_vlms", ROOT / "tiny_vlms" / "__init__.py")
    folder = zoo.build("qwen2_5_vl", tmp_path / "qwen2_5_vl")
    seen = []

    def say(model, questions, images, _):
        for question, image in zip(questions, images, strict=True):
            encoded = model.inputs([model.chat.text(question, with_image=True)], [image])
            seen.append((question, len(encoded["pixel_values"]), image.shape))
        return ["[1, 1]"] * len(questions)

    monkeypatch.setattr(Model, "generate", say)
    given = ask(dataset, wanted, folder)
    (size,) = set(given.sizes.values())
    assert given.unit == "pixels"
    assert given.sizes.keys() == given.texts.keys()
    for question, patches, shape in seen:
        assert f"{size[0]} wide and {size[1]} high" in question
        assert size[0] * size[1] == patches * 14**2
        assert size != shape[1::-1]


def test_a_unit_that_is_named_is_asked_for(dataset, wanted, tiny_llava, monkeypatch):
    asked = []
    monkeypatch.setattr(
        Model, "generate", lambda _, questions, *__: [asked.append(question) or "" for question in questions]
    )
    given = ask(dataset, wanted, tiny_llava, coordinates="pixels")
    assert (given.unit, given.named) == ("pixels", "pixels")
    assert set(given.sizes.values()) == {(64, 64)}  # it does not cut pictures into a grid that it tells of
    assert all("64 wide and 64 high" in question for question in asked)


def test_a_server_is_asked_too(placed, small_set):
    pytest.importorskip("openai")
    faulty = loaded("faulty_server", ROOT / "models" / "faulty_server.py")
    first = next(iter(placed.values())).item
    settings = {"model_name": "tiny", "ask": "point", "folder": small_set, "batch_size": 4, "timeout": 5.0}
    with faulty.serve() as server:
        server.answer = lambda text: '{"point_2d": [250, 500]}' if text.startswith(first.question) else "I do not know."
        found = stress_test.ground(EvalConfig(model=server.url, **settings))
        asked = [body for body in server.asked if "Where is what shows" in faulty.text_of(body)]
    assert found.model == "tiny"
    assert all(body["max_tokens"] == place_answers.MAX_TOKENS and faulty.image_of(body) for body in asked)
    read = {name: answer.spots for name, answer in found.answers.items()}
    assert [0.25, 0.5] in [spots[0] for spots in read.values() if spots]
    assert sum(spots is None for spots in read.values()) == round(found.whole.invalid.share * len(read)) > 0


def test_a_server_that_does_not_answer_is_the_machines_failing(small_set):
    pytest.importorskip("openai")
    config = EvalConfig(folder=small_set, model="http://127.0.0.1:9/v1", model_name="none", timeout=1.0, ask="point")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        stress_test.ground(config)
