"""Promises of `pstgen build`, `priors`, `show` and `fetch`: what is taken, what is refused before any work, what is printed."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from PIL import Image

from pstgen import build as road
from pstgen.cli import main
from pstgen.core import config
from pstgen.core.config import BuildConfig
from pstgen.core.reading import yaml_of
from pstgen.core.records import BadInput
from pstgen.core.report import Report
from pstgen.dataset import store
from pstgen.questions.priors import is_prior_part
from pstgen.scenes.sources import coco, world

SMALL = ["--source", "world", "--scenes", "90", "--size", "64", "--candidates", "15", "--wordings", "2"]
ALONE = ["--vlm", "none", "--lm", "none"]


def run(*words, **more):
    return CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "100"}, **more)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A very small set of the world, built as JSON."""
    out = tmp_path_factory.mktemp("built") / "pst"
    return out, run("build", *SMALL, *ALONE, "--out", out, "--json")


@pytest.fixture
def asked(monkeypatch):
    """Settings with which builds were begun; none of them builds."""
    seen = []

    def instead(settings, _progress):
        seen.append(settings)
        raise BadInput("no build today")

    monkeypatch.setattr(road, "build", instead)
    return seen


@pytest.fixture
def unread(monkeypatch):
    """Whoever reads a scene fails."""

    def fail(*_args, **_more):
        pytest.fail("a scene was read")

    for source in (world, coco):
        monkeypatch.setattr(source, "scenes", fail)


# ------------------------------------------------------------------------------------------------ settings

TOLD = {
    "nothing but the world": ["--source", "world"],
    "no model": [*SMALL, *ALONE],
    "one model of two": [*SMALL, "--vlm", "none"],
    "lists": [*SMALL, "--family", "count", "--family", "colour", "--frame", "typical", "--twin", "matched"],
    "numbers": [*SMALL, "--limit", "9", "--prior-share", "0.5", "--seed", "3", "--min-pull", "0.25"],
    "a place": ["--source", "coco", "--root", "some where", "--prior-split", "train2017"],
}


@pytest.mark.parametrize("options", TOLD.values(), ids=TOLD)
def test_what_print_config_prints_is_taken_by_config_and_gives_the_same_settings(options, tmp_path, asked):
    printed = run("build", *options, "--print-config")
    assert printed.exit_code == 0, printed.output
    (tmp_path / "run.yaml").write_text(printed.stdout)
    assert run("build", "--config", tmp_path / "run.yaml", "--print-config").stdout == printed.stdout
    run("build", *options)
    run("build", "--config", tmp_path / "run.yaml")
    assert len(asked) == 2
    assert asked[0] == asked[1]


def test_print_config_names_every_setting_there_is(tmp_path):
    (tmp_path / "run.yaml").write_text(run("build", *SMALL, "--print-config").stdout)
    settings = config._settings(tmp_path / "run.yaml")
    assert set(settings) == set(BuildConfig.__struct_fields__)


def test_a_manifest_is_taken_as_settings_those_that_were_decided_too(built, asked, tmp_path):
    out, _ = built
    run("build", *SMALL, *ALONE, "--prior-share", "0.2", "--out", tmp_path / "pst")
    run("build", "--config", out / "manifest.json", "--out", tmp_path / "pst")
    assert len(asked) == 2
    assert asked[0] == asked[1]


def test_options_overrule_the_file(built, asked, tmp_path):
    run("build", "--config", built[0] / "manifest.json", "--seed", "7", "--out", tmp_path / "pst")
    assert (asked[0].seed, asked[0].source.scenes) == (7, 90)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory; --config takes a YAML file or a dataset's manifest.json"),
        ("seed: [", "is not YAML"),
        ("- seed", "holds no settings"),
        ("sead: 3", "unknown field `sead`"),
        ("seed: three", "seed"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused_once_by_name(content, reason, tmp_path):
    file = tmp_path / "run.yaml"
    if content is not None:
        file.write_text(content)
    result = run("build", "--config", file)
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.startswith(f"pstgen: {file}: ")
    assert line.count(str(file)) == 1
    assert reason in line


# -------------------------------------------------------------------------------------- refused before any work

REFUSED = {
    "a frame": (["--frame", "foo"], 2, "no frame 'foo' for colour; there are: neutral, "),
    "a frame of one family only": (["--family", "count", "--frame", "typical", "--frame", "foo"], 2, "'foo' for count"),
    "a vlm": (["--vlm", "/nowhere"], 3, "/nowhere: no such model folder"),
    "a language model": (["--lm", "/nowhere"], 3, "/nowhere: no such model folder"),
    "a device": (
        ["--lm", "words", "--device", "quantum"],
        2,
        "device quantum: no such device; there are: auto, cpu, cuda",
    ),
    "templates": (["--templates", "/nowhere"], 2, "/nowhere: no folder with templates; they are called colour.yaml"),
    "templates that are none": (["--templates", "annotations"], 2, "annotations: no folder with templates"),
    "a detector": (["--detector", "/nowhere"], 2, "/nowhere: no such detector"),
    "a depth model": (["--depth-model", "/nowhere"], 3, "/nowhere: no such depth model"),
    "questions": (["--prior-vqa", "/nowhere"], 2, "/nowhere: no such file or folder"),
    "a prior": (["--prior-file", "/nowhere"], 2, "`pstgen priors --save /nowhere` writes one"),
    "a taken folder": (["--out", "annotations"], 2, "annotations: holds something already; name another --out"),
    "a folder in a file": (["--out", "annotations/instances_val2017.json/pst"], 2, "name another --out"),
    "a prior of the world": (["--prior-split", "train2017"], 2, "the source world has no scenes apart from those"),
    "annotations": (["--source", "coco", "--annotations", "no.json"], 2, "no.json: No such file or directory"),
    "a root": (["--source", "coco", "--root", "/nowhere"], 2, "COCO's folder, named by --root"),
    "a prior's split": (["--source", "coco", "--root", ".", "--prior-split", "t"], 2, "instances_t.json"),
}


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(("options", "code", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_in_one_line_before_any_scene_is_read(
    options, code, said, tmp_path, monkeypatch, photographs
):
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path, "val2017", range(1, 5))
    before = sorted(tmp_path.rglob("*"))
    result = run("build", *SMALL, *ALONE, *options, "-q")
    assert result.exit_code == code, result.output
    assert result.output.startswith("pstgen: ")
    assert len(result.output.splitlines()) == 1
    assert said in result.output
    assert sorted(tmp_path.rglob("*")) == before


# ----------------------------------------------------------------------------------------------- dry run and JSON


@pytest.mark.usefixtures("unread")
def test_a_dry_run_writes_nothing_and_names_scenes_and_judges(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = run("build", *SMALL, *ALONE, "--dry-run")
    assert result.exit_code == 0, result.output
    rows = dict(re.findall(r"^(\S.*?)  +(\S.*?) *$", result.stdout, re.MULTILINE))
    assert rows["scenes for the prior"] == "21"
    assert rows["scenes for items"] == "69"
    assert rows["judges"] == "prior, text"
    assert "nothing was written" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_names_the_models_and_opens_none(tmp_path, monkeypatch):
    monkeypatch.setattr("pstgen.models.loading.load", lambda *_: pytest.fail("a model was opened"))
    result = run("build", *SMALL, "--vlm", "none", "--dry-run", "--json", "--out", tmp_path / "pst")
    told = json.loads(result.stdout)
    assert list(told["judges"]) == ["prior", "text", "lm"]
    assert told["judges"]["lm"].endswith("words, not opened")
    assert told["scenes for the prior"] + told["scenes for items"] == 90
    assert list(tmp_path.iterdir()) == []


def test_build_prints_pure_json_on_stdout_if_told(built):
    out, result = built
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["out"] == str(out)
    assert told["pairs"] == sum(told["funnel"]["kept"].values()) > 10
    assert told["funnel"] == store.open(out).manifest.funnel
    assert "note: the prior rests on 21 scenes" in result.stderr
    assert told["notes"] == store.open(out).manifest.notes


def test_priors_print_pure_json_on_stdout_if_told():
    result = run("priors", *SMALL[:6], "--least", "2", "--json")
    rows = json.loads(result.stdout)
    assert {tuple(row) for row in rows} == {("family", "form", "about", "answer", "times", "of", "added")}
    assert all(2 <= row["of"] >= row["times"] > 0 for row in rows)
    assert len({row["family"] for row in rows}) > 5


def test_quiet_says_nothing_beside_the_result(tmp_path):
    result = run("priors", *SMALL[:6], "-q", "--save", tmp_path / "prior.json")
    assert result.stderr == ""
    assert "the strongest priors" in result.stdout


@pytest.mark.parametrize(
    ("place", "became"),
    [("pstgen.build.build", "nothing was written"), ("pstgen.cli.tables.funnel", "pst is built and whole")],
)
def test_an_interrupted_build_says_what_became_of_it(tmp_path, monkeypatch, place, became):
    def interrupted(*_):
        raise KeyboardInterrupt

    report = Report(stations={"kept": Counter({"count": 1})})
    monkeypatch.setattr(road, "build", lambda *_: report)
    monkeypatch.setattr(place, interrupted)
    monkeypatch.chdir(tmp_path)
    result = run("build", *SMALL, *ALONE)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == f"pstgen: interrupted: {became}"


# ------------------------------------------------------------------------------------------------------- priors


def test_a_prior_that_was_saved_is_what_a_build_expects_and_no_scene_is_held_back_for_it(tmp_path):
    prior = tmp_path / "prior.json"
    saved = run("priors", *SMALL[:6], "--seed", "5", "--save", prior)
    assert saved.exit_code == 0, saved.output
    assert f"{prior}: a prior from " in saved.stderr
    assert f"Next: pstgen build --prior-file {prior}" in saved.stderr
    result = run("build", *SMALL, *ALONE, "--prior-file", prior, "--out", tmp_path / "pst", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["funnel"]
    assert told["scenes for items"] == {"world": 90}
    assert told["scenes for the prior"]["world"] == int(re.search(r"a prior from (\d+) scenes", saved.stderr)[1])
    manifest = store.open(tmp_path / "pst").manifest
    assert manifest.settings["questions"]["prior_file"] == "prior.json"
    assert re.fullmatch(r"[0-9a-f]{64}", manifest.origin["prior file"])


def test_where_no_question_was_answered_often_enough_it_is_said_with_the_remedy():
    result = run("priors", *SMALL[:6], "--least", "999")
    assert result.exit_code == 0, result.output
    line = "No question was answered 999 times or more in 21 scenes: a lower --least shows the rest.\n"
    assert result.stdout == line


# ----------------------------------------------------------------------------------------------- show and fetch


def test_a_pair_that_there_is_not_is_refused_and_some_are_named_that_there_are(built):
    out, _ = built
    result = run("show", out, "nosuch")
    assert result.exit_code == 2
    named = re.fullmatch(rf"pstgen: {out}: has no pair or item nosuch; it has (\S+), (\S+), (\S+), …\n", result.output)
    for name in named.groups():
        assert run("show", out, name).exit_code == 0


def test_fetch_alone_asks_for_a_name_and_loads_nothing(tmp_path):
    result = run("fetch", "--cache", tmp_path / "cache", "--mirror", "http://127.0.0.1:9")
    assert result.exit_code == 2
    assert result.output == "pstgen: name what to fetch: coco\n"
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------- completion


def offered(*words):
    *before, last = words
    return [item.value for item in ShellComplete(main, {}, "pstgen", "_PSTGEN_COMPLETE").get_completions(before, last)]


COMPLETED = [
    (["build", "--source", ""], {"coco", "world"}),
    (["build", "--family", "co"], {"colour", "combination", "count"}),
    (["build", "--family", "count", "--family", "col"], {"colour"}),
    (["build", "--twin", "re"], {"recolour", "remove"}),
    (["build", "--frame", "t"], {"typical"}),
    (["build", "--split", "v"], {"val2017"}),
    (["build", "--prior-split", ""], {"train2017", "val2017"}),
    (["build", "--device", "c"], {"cpu", "cuda"}),
    (["priors", "--source", "w"], {"world"}),
    (["fetch", ""], {"coco"}),
    (["fetch", "coco", "--split", "t"], {"train2017"}),
    (["build", "--source", "x"], set()),
]


@pytest.mark.parametrize(("words", "names"), COMPLETED, ids=[" ".join(words) for words, _ in COMPLETED])
def test_names_are_completed(words, names):
    assert set(offered(*words)) == names


# ------------------------------------------------------------------------------------------ pictures left out


def test_licences_are_a_list_parted_by_commas_or_an_option_each():
    printed = run(
        "build", "--licenses", "4, cc-by", "--licenses", "Attribution License", "--blur-faces", "--print-config"
    )
    settings = yaml_of(printed.stdout.encode(), dict[str, Any])["source"]
    assert settings["licenses"] == ["4", "cc-by", "Attribution License"]
    assert settings["blur_faces"] is True


@pytest.fixture
def mine(tmp_path, photographs):
    """Forty photographs in a file of one's own."""
    return photographs(tmp_path, "mine", range(1, 41))


def pictures(file, part):
    """Those that feed the prior, or those that give items."""
    names = {n: file.parents[1] / "mine" / f"mine-{n}.png" for n in range(1, 41)}
    return [path for n, path in names.items() if is_prior_part(f"mine/{n}", "", 0.2, 0) == (part == "prior")]


QUICK = [*ALONE, "--family", "existence", "--edited", "0", "--wordings", "2"]


def test_ten_refusals_of_one_reason_are_one_line_with_a_count_and_three_examples(mine, tmp_path):
    for picture in pictures(mine, "items")[:10]:
        Image.new("RGB", (3 + len(picture.name), 9)).save(picture)  # sizes differ, and so do the reasons' numbers
    result = run("build", "--annotations", mine, *QUICK, "--out", tmp_path / "pst")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("left out: ")]
    picture = r"mine-\d+\.png: image \d+"
    assert re.fullmatch(
        rf"left out: 10 x is \d+x9, annotated as 120x90 \({picture}; {picture}; {picture} and 7 more\)", line
    )
    assert "All that was left out is named in manifest.json." in result.stdout
    assert len(store.open(tmp_path / "pst").manifest.refused) == 10


def rotate(pictures):
    for picture in pictures:
        image = Image.open(picture)
        image.load()
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(picture, exif=exif)


ROTATED = "rotated by its EXIF tag; store it upright"


def test_where_every_picture_is_rotated_the_error_ends_with_the_reason_and_how_many_there_are(tmp_path, photographs):
    file = photographs(tmp_path, "mine", range(1, 15))
    rotate(path for path in (tmp_path / "mine").iterdir())
    result = run("build", "--annotations", file, *QUICK, "--out", tmp_path / "pst")
    assert result.exit_code == 2
    line = result.stderr.splitlines()[-1]
    assert line.startswith("pstgen: the prior rests on 0 scenes, so nothing is expected")
    assert line.endswith(f". 14 pictures left out: {ROTATED}")


def test_where_every_picture_that_could_give_items_is_rotated_the_error_says_so_and_not_that_more_are_needed(
    mine, tmp_path
):
    rotate(pictures(mine, "items"))
    result = run("build", "--annotations", mine, *QUICK, "--out", tmp_path / "pst")
    assert result.exit_code == 2
    line = result.stderr.splitlines()[-1]
    assert f"). {len(pictures(mine, 'items'))} pictures left out: {ROTATED}. Mend these pictures" in line
    assert "more scenes" not in line
    assert not (tmp_path / "pst").exists()


def test_where_no_scene_feeds_the_prior_it_is_said_with_the_remedy_and_no_pair_comes_out(tmp_path, photographs):
    numbers = [n for n in range(1, 99) if not is_prior_part(f"mine/{n}", "", 0.2, 0)][:4]
    file = photographs(tmp_path, "mine", numbers)
    result = run("build", "--annotations", file, *QUICK, "--out", tmp_path / "pst")
    assert result.exit_code == 2
    line = result.stderr.splitlines()[-1]
    assert line.startswith("pstgen: the prior rests on 0 scenes, so nothing is expected and no answer is a lure: ")
    assert "a larger --prior-share (it is 0.2 of 4 scenes), more pictures, --prior-annotations FILE" in line
    assert not (tmp_path / "pst").exists()


def test_a_prior_from_few_scenes_is_said_in_the_run_and_in_the_manifest(mine, tmp_path):
    result = run("build", "--annotations", mine, *QUICK, "--out", tmp_path / "pst")
    assert result.exit_code == 0, result.output
    few = f"the prior rests on {len(pictures(mine, 'prior'))} scenes, fewer than 200"
    assert result.stderr.count(f"note: {few}") == 1
    assert [note for note in store.open(tmp_path / "pst").manifest.notes if note.startswith(few)]


# ------------------------------------------------------------------------------- streams that are not UTF-8


STREAMS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""},
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_what_a_stream_cannot_show_is_replaced_in_it_and_json_is_utf_8_everywhere(mine, stream):
    for file in mine.parent.iterdir():
        file.write_text(file.read_text().replace('"cup"', '"\u017c\u00e1ba"'), encoding="utf-8")
    command = [sys.executable, "-m", "pstgen", "priors", "--annotations", str(mine), "--least", "1"]
    piped = subprocess.run(command, env=os.environ | stream, capture_output=True, check=False)
    assert piped.returncode == 0, piped.stderr
    told = piped.stdout.decode("cp1252")
    assert "?\u00e1ba" in told or "??ba" in told
    assert "note: the prior rests on" in piped.stderr.decode("cp1252")
    spoken = subprocess.run([*command, "--json"], env=os.environ | stream, capture_output=True, check=True)
    assert any("\u017c\u00e1ba" in row["about"] for row in json.loads(spoken.stdout.decode("utf-8")))


def test_an_error_in_words_that_a_stream_cannot_show_is_still_one_line_and_its_own_exit_code(tmp_path):
    command = [sys.executable, "-m", "pstgen", "build", "--annotations", str(tmp_path / "\u017c.json")]
    piped = subprocess.run(command, env=os.environ | STREAMS["cp1252"], capture_output=True, check=False, cwd=tmp_path)
    assert piped.returncode == 2
    assert piped.stderr.decode("cp1252").splitlines()[-1].endswith("?.json: No such file or directory")


def test_a_place_where_no_prior_can_be_saved_is_refused_before_any_scene_is_read(tmp_path, monkeypatch):
    from pstgen.scenes.sources import world

    monkeypatch.setattr(world, "scenes", lambda *_: pytest.fail("a scene was read"))
    result = run("priors", "--source", "world", "--scenes", "20", "--save", tmp_path / "nosuch" / "prior.json")
    assert result.exit_code == 3
    assert "nosuch" in result.output


@pytest.mark.parametrize(
    "text",
    ["source: {smell: 3}", "source: [1, 2]", "questions: {families: 7}", '{"settings": 3, "seal": "x"}', "- 1", "{"],
)
def test_a_broken_file_of_settings_is_one_line_that_names_it(tmp_path, text):
    (tmp_path / "broken.yaml").write_text(text)
    result = run("build", "--config", tmp_path / "broken.yaml", "--out", tmp_path / "pst")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"pstgen: {tmp_path / 'broken.yaml'}: ")
