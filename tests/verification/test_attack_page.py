"""The report of an attack names what gives a benchmark away, and how much would have to go."""

import random
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.core.config import VerifyConfig
from pstgen.verification import attack, attack_page, giveaways
from pstgen.verification.readers import Words
from pstgen.verification.samples import Sample

NAMES = ("ngrams", "options", "metadata", "rows")


def captions(n, tell):
    """Questions of two captions, the right one first in half of them; `tell` says what stands in the wrong one."""
    rng, samples = random.Random(0), []
    for k in range(n):
        nouns = rng.sample(["cup", "dog", "tree", "car", "house", "boat", "shoe", "bird"], 4)
        right, wrong = (f"A {a} beside the {b}." for a, b in (nouns[:2], nouns[2:]))
        place = rng.randrange(2)
        pair = (right, tell(wrong)) if not place else (tell(wrong), right)
        samples.append(Sample(f"{k}", f"{k}", f"{k}", "Which fits?", pair, place, category=("odd", "even")[k % 2 == 0]))
    return samples


def reached(samples):
    config = VerifyConfig(attackers=NAMES)
    return {run.result.attacker: run for run in attack.run_all(samples, config)}


def test_a_word_that_tells_is_found_and_named():
    samples = captions(200, lambda caption: caption.replace("beside", "inside"))
    runs = reached(samples)
    assert runs["options"].result.items.low > 0.9
    first = giveaways.words(samples)[:2]
    assert {word.word for word in first} == {"inside", "beside"}
    assert all(abs(word.z) > 10 for word in first)


def test_a_length_that_tells_is_found():
    samples = captions(200, lambda caption: caption.replace(".", " " + "m" * 12 + "."))
    assert reached(samples)["metadata"].result.items.low > 0.8


def test_where_nothing_tells_nothing_is_found_and_few_have_to_go():
    samples = captions(200, lambda caption: caption)
    runs = reached(samples)
    assert all(run.result.items.low < 0.55 for run in runs.values())
    assert giveaways.must_go(samples, list(runs.values())).mean() < 0.25


def test_what_must_go_is_the_least_that_leaves_nothing_above_chance():
    samples = captions(120, lambda caption: caption.replace("beside", "inside"))
    runs = list(reached(samples).values())
    gone = giveaways.must_go(samples, runs)
    assert all(run.correct[~gone].mean() <= 0.5 for run in runs if (~gone).any())
    assert gone.mean() >= 0.5


def test_letters_and_yes_are_counted_beside_chance():
    samples = [Sample(str(n), str(n), str(n), "?", ("a", "b", "c", "d"), n % 4 == 3) for n in range(40)]
    assert [(letter.name, letter.right, letter.offered) for letter in giveaways.letters(samples)] == [
        ("A", 30, 40), ("B", 10, 40), ("C", 0, 40), ("D", 0, 40),
    ]  # fmt: skip
    yes = [Sample(str(n), str(n), str(n), "?", ("no", "yes"), 1) for n in range(3)]
    assert [(letter.name, letter.right) for letter in giveaways.letters(yes)] == [("no", 0), ("yes", 3)]


def test_repeated_questions_are_counted_whatever_the_order_of_their_options():
    one = Sample("1", "1", "s", "?", ("a", "b"), 0)
    again = Sample("2", "2", "s", "?", ("b", "a"), 1)
    other = Sample("3", "3", "s", "?", ("a", "b"), 1)
    assert giveaways.repeated([one, again, other]) == 1


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "[bold]x", "\u0000"])
def test_the_page_shows_foreign_words_as_they_are(tmp_path, hostile):
    samples = captions(40, lambda caption: f"{caption} {hostile}")
    text = attack_page.page(
        tmp_path / "some.json", Words(samples, {hostile: [1]}, "columns"), list(reached(samples).values())
    )
    assert "<script>" not in text
    assert "By category" in text
    assert re.search(r"\d+ of 40 questions would have to go", text)


def test_the_command_writes_page_and_table(tmp_path):
    lines = ["question\tA\tB\tanswer"] + [f"Which of {n}?\tcup {n}\tdog {n}\tA" for n in range(40)]
    (tmp_path / "mine.tsv").write_text("\n".join(lines))
    files = tmp_path / "a.html", tmp_path / "a.parquet"
    command = [
        "attack",
        str(tmp_path / "mine.tsv"),
        "--html",
        str(files[0]),
        "--out",
        str(files[1]),
        "--attacker",
        "options",
    ]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "40 questions, read as columns" in result.output
    table = pq.read_table(files[1]).to_pydict()
    assert len(table["name"]) == 40
    assert np.mean(table["vulnerability"]) == 1
    assert "mine.tsv: by words alone" in files[0].read_text()
    refused = CliRunner().invoke(main, [*command[:3], str(tmp_path / "none" / "a.html")])
    assert refused.exit_code == 3
