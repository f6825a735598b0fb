"""A worker opens the judge that the driver has, looks at the same pixels from bytes alone, and says the same to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pstgen.core.config import build_config
from pstgen.core.records import Item, Unavailable, Verdict
from pstgen.models import answering, judges, ray_worker
from pstgen.models.answering import Batch
from pstgen.models.ray_worker import Worker
from pstgen.questions.priors import counts

EYE = build_config(source="world", vlm="eye", judges=("vlm",))
COUNT = {"family": "count", "form": "many", "about": ("cup",), "options": ("1", "2"), "answer": "1", "lure": "2"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    files = [folder / f"{n}.png" for n in range(6)]
    for n, file in enumerate(files):
        Image.fromarray(rng.integers(0, 256, (64, 64 + 16 * (n == 3), 3), np.uint8)).save(file)
    return list(map(str, files))


@pytest.fixture(scope="module")
def settings():
    from pstgen.core.resources import model_folder

    return replace_vlm(EYE, str(model_folder("eye")))


def replace_vlm(config, folder):
    return build_config(source="world", vlm=folder, judges=config.judges.names)


@pytest.fixture(scope="module")
def looks(settings, photos):
    learnt = [judge.learn([], photos[:4], counts.fit({})) for judge in judges.load("vlm").open(settings)]
    return {judge.view: judge for judge in learnt}


@pytest.fixture(scope="module")
def worker(settings):
    return Worker(settings, threads=1)


def items(photos):
    more = {"role": "stress", "scene_id": "", "frame": "neutral", "neutral": ""}
    return [
        Item(item_id=f"i{n}", pair_id=f"p{n}", image=photo, question=f"How many cups {n}?", **COUNT, **more)
        for n, photo in enumerate([*photos, *photos])
    ]


def batch_of(judge, photos):
    return Batch(3, {judge.key(item): item for item in items(photos)})


@pytest.mark.parametrize("view", ["no-image", "grey-image", "other-image", "seeing"])
def test_a_worker_says_what_the_driver_would_whatever_the_files_are_called_there(looks, worker, photos, view):
    import torch

    judge = looks[view]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        batch = batch_of(judge, photos)
        here = answering.answer(judge, batch)
        files = ray_worker.contents(photos) if judge.sees else {}
        elsewhere = {
            key: replace(item, image=item.image if judge.sees else "/gone") for key, item in batch.unknown.items()
        }
        there = worker.answer(ray_worker.recipe(judge), Batch(3, elsewhere), files)
    finally:
        torch.set_num_threads(threads)
    assert there == here
    assert (there.number, len(there.verdicts)) == (3, len(photos) * 2)


def test_what_is_sent_of_a_model_has_no_weights(looks):
    import pickle

    assert len(pickle.dumps(replace(ray_worker.recipe(looks["no-image"]), files={}))) < 5000


def test_a_worker_that_opens_another_model_refuses(looks, worker, photos):
    other = replace(ray_worker.recipe(looks["seeing"]), revision="of another day")
    with pytest.raises(
        Unavailable, match=r"vlm/seeing: .* opened another model than the driver: .*--dtype and --device"
    ):
        worker.answer(other, batch_of(looks["seeing"], photos), {})


class Sent:
    """A judge that is no model of ours."""

    name, revision, sees, durable = "sent", "1", False, True

    def answer(self, some):
        return (Verdict(item_id=item.item_id, judge=self.name, logprobs=(-1.0, -2.0)) for item in some)


def test_a_judge_of_a_third_party_is_sent_as_it_is(worker, photos):
    batch = Batch(0, {item.item_id: item for item in items(photos)})
    answered = worker.answer(ray_worker.recipe(Sent()), batch, {})
    assert set(answered.verdicts.values()) == {(-1.0, -2.0)}


def test_a_picture_that_is_gone_is_named():
    with pytest.raises(Unavailable, match=r"/gone\.png: cannot be read: No such file"):
        ray_worker.contents(["/gone.png"])
