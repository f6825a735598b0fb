"""A judge's work is done once: what a killed run wrote down is not asked again."""

import random
import subprocess
import sys

import pytest

from pstgen.core.config import build_config
from pstgen.core.records import Item, Verdict
from pstgen.models.engines import local
from pstgen.models.journal import Journal


def items(n):
    told = {"role": "stress", "scene_id": "", "image": "", "family": "count", "form": "many", "about": ("cup",)}
    told |= {"frame": "neutral", "neutral": "", "options": ("1", "2"), "answer": "1", "lure": "2"}
    return [Item(item_id=f"i{k}", pair_id=f"p{k}", question=f"q{k}", **told) for k in range(n)]


class Counted:
    """Answers by the number in the question; counts how often it is asked; breaks when told to."""

    name, revision, sees, durable = "counted", "1", False, True

    def __init__(self, breaks_at=10**9):
        self.asked, self.breaks_at = [], breaks_at

    def key(self, item):
        return item.question

    def answer(self, some):
        for item in some:
            if len(self.asked) == self.breaks_at:
                raise KeyboardInterrupt
            self.asked.append(item.question)
            yield Verdict(item_id=item.item_id, judge=self.name, logprobs=(-float(item.item_id[1:]), -1.0))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def run(judge, n, **config):
    return list(local.run(judge, items(n), build_config(batch_size=4, **config)))


def test_a_killed_run_goes_on_with_the_batch_where_it_stopped():
    with pytest.raises(KeyboardInterrupt):
        run(Counted(breaks_at=10), 20)
    again = Counted()
    answers = run(again, 20)
    assert [verdict.logprobs[0] for verdict in answers] == [-float(n) for n in range(20)]
    assert again.asked == [f"q{n}" for n in range(8, 20)]


def test_a_question_is_asked_once_however_often_it_comes():
    judge = Counted()
    answers = list(local.run(judge, [*items(6), *items(6), *items(3)], build_config(batch_size=4)))
    assert judge.asked == [f"q{n}" for n in range(6)]
    assert [verdict.item_id for verdict in answers] == [f"i{n}" for n in (*range(6), *range(6), *range(3))]


def test_a_kept_verdict_that_fits_other_options_is_asked_again():
    with Journal("counted", "1") as kept:
        kept.keep({"q0": (-1.0, -2.0, -3.0), "q1": (-7.0, -1.0), "q2": ()})
    judge = Counted()
    answers = run(judge, 3)
    assert judge.asked == ["q0"]
    assert [verdict.logprobs for verdict in answers] == [(-0.0, -1.0), (-7.0, -1.0), ()]


def test_another_revision_is_another_judge():
    run(Counted(), 6)
    newer = Counted()
    newer.revision = "2"
    run(newer, 6)
    assert len(newer.asked) == 6


def test_without_a_cache_the_run_goes_on(cache, monkeypatch):
    (cache / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    assert len(run(Counted(), 6)) == 6


def test_a_judge_that_skips_an_item_is_an_error():
    class Lazy(Counted):
        durable = False

        def answer(self, some):
            return super().answer(some[1:])

    with pytest.raises(RuntimeError, match="not a verdict on i0"):
        run(Lazy(), 4)


SLOW = """
import sys, time
from pstgen.core.config import build_config
from pstgen.core.records import Item, Verdict
from pstgen.models.engines import local

class Slow:
    name, revision, sees, durable = "slow", "1", False, True
    def key(self, item):
        return item.question
    def answer(self, batch):
        for item in batch:
            print(item.question, flush=True)
            time.sleep(0.001)
            yield Verdict(item_id=item.item_id, judge="slow", logprobs=(-float(item.item_id[1:]), -1.0))

more = dict(role="stress", scene_id="", image="", family="count", form="many", about=("cup",), frame="neutral", neutral="",
            options=("1", "2"), answer="1", lure="2")
items = [Item(item_id=f"i{k}", pair_id="p", question=f"q{k}", **more) for k in range(2000)]
print(sum(verdict.logprobs[0] for verdict in local.run(Slow(), items, build_config(batch_size=16))))
"""


def killed_at_random(kills, seed):
    """Run it again and again, killed so many times; returns how often a question was asked, and what came out in the end."""
    rng, asked = random.Random(seed), []
    for kill in range(kills + 1):
        with subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True) as process:
            after = rng.randint(1, 2 * 2000 // (kills + 1)) if kill < kills else 10**9
            lines = []
            for line in process.stdout:
                lines.append(line.strip())
                if len(lines) == after:
                    process.kill()
        asked += [line for line in lines if line.startswith("q")]
    return len(asked), lines[-1]


def test_a_run_killed_at_random_moments_asks_less_than_a_batch_twice_for_each_kill():
    asked, total = killed_at_random(kills=4, seed=1)
    assert float(total) == -sum(range(2000))
    assert 2000 <= asked < 2000 + 4 * 16
