"""Promises of `pstgen eval`, `leaderboard` and `mini`: what is printed and written, and one line for each mistake."""

import json

import pytest
from click.testing import CliRunner

from pstgen.cli import main
from pstgen.dataset import store
from pstgen.evaluation import mini, stress_result
from pstgen.evaluation.metrics import pst


def run(*words, columns="80"):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": columns})


@pytest.fixture(scope="module")
def items(stress_set):
    return list(store.open(stress_set).items())


@pytest.fixture
def predictions(items, tmp_path):
    """Write answers; given(item) is one, None where there is none. Returns the file."""

    def written(name, given):
        rows = [{"item_id": item.item_id, "answer": given(item)} for item in items if given(item) is not None]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return tmp_path / name

    return written


def right_until(n):
    """Right on the first n pairs, lured on the rest."""
    return lambda item: item.answer if int(item.pair_id[1:]) < n else item.lure


@pytest.fixture
def results(stress_set, predictions, tmp_path):
    """A folder of four results: of models that win 24, 18, 12 and 6 of the 24 pairs."""
    folder = tmp_path / "results"
    for n in (24, 18, 12, 6):
        made = predictions(f"wins-{n}.jsonl", right_until(n))
        done = run("eval", stress_set, "--predictions", made, "--out", folder / f"wins-{n}.json")
        assert done.exit_code == 0, done.output
    return folder


def test_the_table_has_neutral_words_first_and_fits_into_80_columns(stress_set, predictions):
    blind = predictions("blind.jsonl", lambda item: item.lure)
    done = run(
        "eval", stress_set, "--predictions", predictions("mine.jsonl", right_until(18)), "--blind-predictions", blind
    )
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if line[:14].strip()]
    firsts = [line[:14].strip() for line in lines]
    assert firsts[0].startswith("mine, in %")
    assert firsts.index("neutral words") < firsts.index("misleading") < firsts.index("all") < firsts.index("colour")
    assert lines[firsts.index("all")].split() == ["all", "24", "75.0", "53-90", "25", "75", "100", "25", "0", "100"]
    assert "\N{HORIZONTAL ELLIPSIS}" not in done.output
    assert all(len(line) <= 80 for line in done.output.splitlines())
    assert "mine wins 75.0% [53.3, 90.2] of 24 pairs; a coin thrown for each picture wins 25.0%" in " ".join(
        done.output.split()
    )


def test_json_is_the_result_and_says_what_pstgen_score_says(stress_set, items, predictions):
    done = run(
        "eval", stress_set, "--predictions", predictions("mine.jsonl", right_until(7)), "--json", "--name", "my model"
    )
    found = json.loads(done.output)
    assert (found["model"], found["items"], found["answered"], found["incomplete"]) == ("my model", 48, 48, 0)
    theirs = pst.score(items, found["answers"]).figures
    ours = {name: 100 * figure["share"] for name, figure in found["groups"][0]["figures"].items()}
    assert ours["pairs"] == pytest.approx(theirs["pair"])
    assert ours["pairs"] == pytest.approx(100 * 7 / 24)
    assert ours["items"] == pytest.approx(theirs["item"])
    assert ours["lure_rate"] == pytest.approx(theirs["lure_rate"])


def test_answers_that_are_no_option_are_invalid_and_wrong(stress_set, predictions):
    given = predictions("mine.jsonl", lambda item: "I cannot tell." if item.pair_id == "p00" else item.answer)
    done = run("eval", stress_set, "--predictions", given)
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert "mine wins 95.8%" in said
    assert "4.2% of its answers name no option, or several; they count as wrong." in said


def test_a_part_of_the_set_is_measured_on_whole_pairs(stress_set, predictions):
    given = predictions("mine.jsonl", lambda item: None if item.item_id in {"p00-a", "p01-b"} else item.answer)
    said = " ".join(run("eval", stress_set, "--predictions", given).output.split())
    assert (
        "46 of the set's 48 items were answered. 2 pairs lack an answer to a twin, and no figure counts them." in said
    )


def test_a_limit_takes_as_many_of_each_family_and_kind_of_words(stress_set, predictions, tmp_path):
    given = predictions("mine.jsonl", right_until(24))
    done = run("eval", stress_set, "--predictions", given, "--limit", 8, "--out", tmp_path / "new" / "part.json")
    assert done.exit_code == 0, done.output
    found = stress_result.read(tmp_path / "new" / "part.json")
    assert {group.name: group.figures["pairs"].n for group in found.groups} == {
        "all": 8, "neutral": 4, "misleading": 4, "colour": 4, "pointing": 4, "leading": 4, "matched": 8,
    }  # fmt: skip
    assert "16 of the set's 48 items were answered." in done.output


def test_a_model_is_asked_and_its_result_can_be_compared_with_itself(stress_set, tiny_llava, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "llava.json"
    asked = run("eval", stress_set, "--model", tiny_llava, "--device", "cpu", "--limit", 4, "--out", out)
    assert asked.exit_code == 0, asked.output
    assert "Without the image it is right on" in " ".join(asked.output.split())
    assert f"pstgen eval --compare {out} OTHER" in asked.output
    done = run("eval", "--compare", out, out)
    assert "a difference of +0.0 points [+0.0, +0.0]" in " ".join(done.output.split())


def test_a_comparison_says_the_difference_and_how_sure_it_is(results):
    done = run("eval", "--compare", results / "wins-18.json", results / "wins-6.json")
    said = " ".join(done.output.split())
    assert "wins-18 wins 75.0% and wins-6 25.0% of 24 pairs: a difference of +50.0 points" in said
    assert "12 pairs are won by wins-18 alone, 0 by wins-6 alone; McNemar's exact test: p = 0.00049" in said
    found = json.loads(run("eval", "--compare", results / "wins-18.json", results / "wins-6.json", "--json").output)
    assert found["models"] == ["wins-18", "wins-6"]
    assert (found["comparison"]["pairs"], found["comparison"]["p"]) == (24, pytest.approx(2 * 0.5**12))


def test_the_leaderboard_ranks_all_results_of_a_folder(results, tmp_path):
    done = run("leaderboard", results, "--out", tmp_path / "board.html")
    assert done.exit_code == 0, done.output
    ranked = [line.split()[0] for line in done.output.splitlines() if line.startswith("wins")]
    assert ranked == ["wins-24", "wins-18", "wins-12", "wins-6"]
    page = (tmp_path / "board.html").read_text()
    assert [page.index(f"<td>{name}</td>") for name in ranked] == sorted(
        page.index(f"<td>{name}</td>") for name in ranked
    )


def test_a_mini_is_chosen_by_results_and_eval_takes_its_pairs(stress_set, results, predictions, tmp_path):
    files, out = sorted(results.glob("*.json")), tmp_path / "mini.json"
    done = run("mini", stress_set, *files, "--n", 8, "--out", out)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "8 of 24 pairs, that tell these models apart best." in said
    assert "The standard error of a share of them is at most 17.7 points." in said
    given = predictions("mine.jsonl", right_until(18))
    found = json.loads(run("eval", stress_set, "--predictions", given, "--pairs", out, "--json").output)
    as_json = json.loads(run("mini", stress_set, *files, "--n", 8, "--out", out, "--json").output)
    assert sorted(found["won"]) == as_json["pairs"] == mini.read(out, found["set_seal"], stress_set)


def test_a_mini_without_results_is_drawn(stress_set, tmp_path):
    done = run("mini", stress_set, "--n", 4, "--out", tmp_path / "mini.json")
    assert done.exit_code == 0, done.output
    assert "4 of 24 pairs, drawn; three results would choose them." in " ".join(done.output.split())


GOOD = {"item_id": "p00-a", "answer": "red"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([GOOD], "no pair has an answer to each of its twins"),
        ([GOOD, GOOD], "answers.jsonl: row 2 answers item 'p00-a' a second time"),
        ([GOOD, {"item_id": "p99-a", "answer": "red"}], "1 of 2 answers are to items that"),
        ([{"id": "p00-a"}], "answers.jsonl: row 1 has no answer to item 'p00-a'"),
        ([{"answer": "red"}], "answers.jsonl: row 1 has no item_id"),
    ],
)
def test_predictions_that_cannot_be_measured_are_one_line_and_exit_2(stress_set, tmp_path, rows, says):
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    refused(says, "eval", stress_set, "--predictions", tmp_path / "answers.jsonl")


def refused(says, *words):
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert len(done.output.splitlines()) == 1
    assert says in done.output
    return done


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name what is to be evaluated: --model"),
        (("--model", "eye", "--predictions", "a.jsonl"), "name what is to be evaluated: --model"),
        (("--model", "eye", "--blind-predictions", "a.jsonl"), "--blind-predictions stands beside --predictions"),
        (("--predictions", "gone.jsonl"), "gone.jsonl: No such file"),
        (("--predictions", "gone.jsonl", "--pairs", "mini.json"), "mini.json: No such file"),
        (("--predictions", "gone.jsonl", "--limit", "0"), "--limit"),
        (("--predictions", "gone.jsonl", "--out", "."), "is a folder; name a file in it"),
    ],
)
def test_options_that_do_not_fit_are_one_line_and_exit_2(stress_set, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    refused(says, "eval", stress_set, *words)


def test_a_folder_that_is_no_set_is_named(tmp_path):
    refused("no stress test here", "eval", tmp_path / "gone", "--model", "eye")
    refused("no stress test here", "mini", tmp_path / "gone")


def test_a_result_that_cannot_be_written_is_the_machines_failing_before_any_work(stress_set, predictions):
    made = predictions("mine.jsonl", right_until(1))
    done = run("eval", stress_set, "--predictions", made, "--out", made / "result.json")
    assert done.exit_code == 3, done.output
    assert f"{made}/result.json: cannot be written" in done.output


def test_what_cannot_be_compared_is_one_line_and_exit_2(results, stress_set, tmp_path):
    first, none = results / "wins-24.json", tmp_path / "none.json"
    none.write_text("{}")
    other = tmp_path / "other.json"
    stress_result.write(other, _of_another_set(stress_result.read(first)))
    refused("were given different sets", "eval", "--compare", first, other)
    refused("none.json: not a result of `pstgen eval`", "eval", "--compare", first, none)
    refused("gone.json: No such file", "eval", "--compare", first, tmp_path / "gone.json")
    refused("--compare A B compares two results", "eval", stress_set, "--compare", first, first)
    refused("--compare A B compares two results", "eval", "--compare", first, first, "--limit", 3)
    refused("a result on another set", "mini", stress_set, other)
    refused("not a result of `pstgen eval`", "mini", stress_set, none)
    refused("--n 24: there are 24 pairs", "mini", stress_set, "--n", 24, "--out", tmp_path / "mini.json")


def _of_another_set(found):
    import msgspec

    return msgspec.structs.replace(found, set_seal="another", model="other")


def test_a_folder_that_cannot_be_ranked_is_one_line_and_exit_2(results, tmp_path):
    refused("no result here", "leaderboard", tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    refused("no result here", "leaderboard", tmp_path / "empty")
    (results / "again.json").write_bytes((results / "wins-6.json").read_bytes())
    refused("two results are called 'wins-6'", "leaderboard", results, "--out", tmp_path / "board.html")
    (results / "again.json").write_text("[]")
    refused("again.json: not a result of `pstgen eval`", "leaderboard", results, "--out", tmp_path / "board.html")
    assert not (tmp_path / "board.html").exists()


@pytest.fixture
def points(small_set, tmp_path):
    """A file with the same point about every item of the small set."""
    file = tmp_path / "points.jsonl"
    rows = [{"item_id": item.item_id, "prediction": [500, 500]} for item in store.open(small_set).items()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_places_are_asked_for_and_their_result_is_neither_compared_nor_ranked(small_set, points, tmp_path):
    out = tmp_path / "places" / "point.json"
    done = run("eval", small_set, "--predictions", points, "--ask", "point", "--out", out)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "points grounds" in said
    assert "Random points would be right on" in said
    assert "items were left out: a mark in the picture shows the place already." in said
    assert "pstgen leaderboard" not in said
    found = json.loads(run("eval", small_set, "--predictions", points, "--ask", "point", "--json").output)
    assert found["place"] == "point"
    assert found["groups"][0]["items"]["n"] == len(found["answers"])
    refused("a result about places", "eval", "--compare", out, out)
    refused("a result about places", "leaderboard", out.parent)


def test_a_box_is_graded_by_its_iou(small_set, points):
    points.write_text(points.read_text().replace("[500, 500]", "[250, 250, 750, 750]"))
    found = json.loads(run("eval", small_set, "--predictions", points, "--ask", "box", "--json").output)
    (whole, *_) = found["groups"]
    assert whole["iou"]["mean"] == pytest.approx(whole["chance"]["centre box"]["iou"])


def test_the_eye_which_names_no_place_is_said_to_name_none(small_set, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = run("eval", small_set, "--model", "eye", "--ask", "point", "--limit", 3, "--device", "cpu")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "100.0% of its answers name no point that can be read; they count as wrong. It says, for one:" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--ask", "places"), "--ask"),
        (("--coordinates", "pixels"), "--coordinates is about places"),
        (("--collateral",), "--collateral needs a --model"),
        (("--ask", "box", "--collateral"), "--collateral needs a --model"),
        (("--ask", "box", "--blind-predictions", "a.jsonl"), "places are asked for by --ask point or --ask box"),
    ],
)
def test_options_about_places_that_do_not_fit_are_one_line_and_exit_2(small_set, points, words, says):
    refused(says, "eval", small_set, "--predictions", points, *words)
