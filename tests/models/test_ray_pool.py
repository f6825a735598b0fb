"""Workers of Ray answer like this process, in the items' order, though some of them die."""

import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pstgen.core.config import build_config
from pstgen.core.records import BadInput, Item, Unavailable, Verdict
from pstgen.models import journal_listing, ray_pool
from pstgen.models.engines import local
from pstgen.models.engines import ray as engine


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Unavailable, match=r"--engine ray needs the package ray .*: pip install 'pstgen\[ray\]'"):
        engine.check(build_config(engine="ray"))


@pytest.fixture(scope="module")
def cluster():
    """Ray on this machine, with an object store of the least size that it takes."""
    ray = pytest.importorskip("ray")
    for name, value in ray_pool.QUIET.items():
        os.environ[name] = value
    ray.init(
        num_cpus=4, object_store_memory=80 * 2**20, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray_pool.connected.cache_clear()
    yield ray
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    engine.pool.cache_clear()
    ray_pool.connected.cache_clear()
    ray.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def settings(**more):
    return build_config(engine="ray", workers=2, batch_size=4, **more)


def items(n, image=""):
    told = {"role": "stress", "scene_id": "", "family": "count", "form": "many", "about": ("cup",)}
    told |= {"frame": "neutral", "neutral": "", "options": ("1", "2"), "answer": "1", "lure": "2"}
    return [Item(item_id=f"i{k}", pair_id=f"p{k}", question=f"q{k}", image=image, **told) for k in range(n)]


class Remote:
    """Answers by the number in the question and notes, in a folder, which process was asked what."""

    name, revision, sees, durable = "remote", "1", False, True

    def __init__(self, folder, wait=0.0):
        self.folder, self.wait = str(folder), wait

    def key(self, item):
        return item.question

    def answer(self, batch):
        for item in batch:
            self.meet(item)
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=(-float(item.item_id[1:]), -1.0))

    def meet(self, item):
        with open(os.path.join(self.folder, item.question), "a") as file:  # noqa: PTH118, PTH123
            file.write(f"{os.getpid()}\n")
        time.sleep(self.wait * (1 + int(item.item_id[1:]) % 3))


class Deadly(Remote):
    """One question kills whoever is asked it; `once`: the first time alone."""

    once = False

    def meet(self, item):
        again = os.path.exists(os.path.join(self.folder, item.question))  # noqa: PTH110, PTH118
        super().meet(item)
        if item.question == "q17" and not (self.once and again):
            os.kill(os.getpid(), signal.SIGKILL)


class Failing(Remote):
    def meet(self, item):
        if item.question == "q5":
            raise Unavailable("500 no")


class Mistaken(Remote):
    def meet(self, item):
        raise BadInput(f"{item.question}.png: is no picture")


class Seeing(Remote):
    """Says how bright the picture is."""

    sees = True

    def key(self, item):
        return f"{item.question}{item.image}"

    def answer(self, batch):
        for item in batch:
            pixels = np.asarray(Image.open(item.image))
            yield Verdict(
                item_id=item.item_id, judge=self.name, logprobs=(float(pixels[0, 0, 0]), float(pixels.mean()))
            )


def asked(folder):
    return {file.name: file.read_text().split() for file in folder.iterdir()}


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("cluster")
def test_verdicts_are_those_of_the_engine_local_in_order_from_two_processes_and_kept(notes, tmp_path, monkeypatch):
    told = list(engine.run(Remote(notes, 0.005), items(60), settings()))
    processes = {process for found in asked(notes).values() for process in found}
    assert len(processes) == 2
    assert str(os.getpid()) not in processes
    assert all(len(found) == 1 for found in asked(notes).values())
    assert list(engine.run(Mistaken(notes), items(60), settings())) == told  # all from the journal
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert list(local.run(Remote(notes), items(60), build_config(batch_size=4))) == told


@pytest.mark.usefixtures("cluster")
def test_what_a_dead_worker_had_goes_to_another_and_nobody_else_notices(notes, caplog):
    judge = Deadly(notes)
    judge.once = True
    told = list(engine.run(judge, items(40), settings()))
    assert [verdict.logprobs[0] for verdict in told] == [-float(n) for n in range(40)]
    assert len(asked(notes)["q17"]) == 2
    assert "a worker of Ray died, and another takes its place" in caplog.text


@pytest.mark.usefixtures("cluster")
def test_an_item_that_kills_every_worker_has_failed_and_all_others_have_verdicts(notes):
    with pytest.raises(Unavailable, match=r"2 workers died of it: .*no verdict on 1 of 40 items, the first 'q17'"):
        list(engine.run(Deadly(notes), items(40), settings()))
    (failed,) = journal_listing.failed()
    (held,) = journal_listing.held()
    assert (failed.question, held.verdicts) == ("q17", 39)


@pytest.mark.usefixtures("cluster")
def test_a_worker_killed_from_outside_costs_nothing_but_its_batch(notes):
    told = engine.run(Remote(notes, 0.05), items(60), settings())
    first = next(told)
    os.kill(int(asked(notes)["q0"][0]), signal.SIGKILL)
    assert [verdict.item_id for verdict in [first, *told]] == [f"i{n}" for n in range(60)]


@pytest.mark.usefixtures("cluster")
def test_an_items_failure_is_its_own_and_a_mistake_ends_the_run_as_it_does_here(notes):
    with pytest.raises(Unavailable, match="500 no; remote has no verdict on 1 of 20 items, the first 'q5'"):
        list(engine.run(Failing(notes), items(20), settings()))
    with pytest.raises(BadInput, match=r"q\d+\.png: is no picture"):
        list(engine.run(Mistaken(notes), items(30), settings()))


@pytest.mark.usefixtures("cluster")
def test_more_pictures_than_the_object_store_holds_pass_through_it(notes, tmp_path):
    rng, wanted = np.random.default_rng(0), []
    for n in range(40):
        file = tmp_path / f"{n}.bmp"
        Image.fromarray(rng.integers(0, 256, (1000, 1000, 3), np.uint8)).save(file)  # 3 MB each
        wanted.append(replace(items(n + 1)[n], image=str(file)))
    told = list(engine.run(Seeing(notes), wanted, settings()))
    here = [verdict for item in wanted for verdict in Seeing(notes).answer([item])]
    assert told == here


@pytest.mark.usefixtures("cluster")
def test_a_judge_that_cannot_be_sent_is_said_to_be_so(notes):
    stuck = Remote(notes)
    stuck.file = (number for number in range(3))
    with pytest.raises(Unavailable, match=r"remote: cannot be sent to a worker of Ray .*: --engine local"):
        list(engine.run(stuck, items(3), settings()))


@pytest.mark.usefixtures("cluster")
def test_more_gpus_than_there_are_is_a_mistake_before_any_work():
    with pytest.raises(BadInput, match=r"--gpus-per-worker 0.5: the cluster has 0 GPUs"):
        ray_pool.Pool(settings(gpus_per_worker=0.5))


def test_a_cluster_that_does_not_answer_is_the_machines_failing(cluster, monkeypatch):
    monkeypatch.setattr(cluster, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster, "init", lambda **_: (_ for _ in ()).throw(ConnectionError("no such host\nand more")))
    ray_pool.connected.cache_clear()
    with pytest.raises(Unavailable, match=r"^--ray-address far:1: no such host$"):
        ray_pool.connected("far:1")


@pytest.mark.usefixtures("cluster")
def test_batches_are_those_of_the_engine_local(notes):
    """The numbers of a model depend, in their last bits, on what stands in one batch."""
    seen = []
    pool = engine.pool(settings())
    original = pool.ask

    def noting(recipe, batches, **more):
        return original(recipe, (seen.append([*batch.unknown]) or batch for batch in batches), **more)

    pool.ask = noting
    try:
        list(engine.run(Remote(notes), [*items(10), *items(14)], settings()))
    finally:
        del pool.ask
    assert [batch for batch in seen if batch] == [
        ["q0", "q1", "q2", "q3"],
        ["q4", "q5", "q6", "q7"],
        ["q8", "q9"],
        ["q10", "q11", "q12", "q13"],
    ]
