"""The report names every system, says why a figure is absent, keeps the claim apart from what was measured, and loads nothing."""

import base64
import re
from html import unescape
from html.parser import HTMLParser

import msgspec
import pytest

from pstgen.cli import tables
from pstgen.evaluation import summary
from pstgen.evaluation.report import html, overlays, plots
from pstgen.evaluation.results import ArmResult


@pytest.fixture(scope="module")
def report(results_of, logs_of, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    results = results_of(seeds=3)
    logs_of(results, out)
    html.write(results, out)
    return results, out, (out / html.NAME).read_text(encoding="utf-8")


def rows(shown):
    """Cells of every table's rows, as one reads them."""
    return [
        [unescape(re.sub(r"<[^>]+>", " ", cell)).split() for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row)]
        for row in re.findall(r"<tr.*?</tr>", shown)
    ]


def test_every_system_of_the_results_has_a_line_with_its_pairs_and_interval(report):
    results, _, shown = report
    lines = {row[0][0]: row for row in rows(shown) if len(row) == 7 and row[0]}
    for name in {arm.system for arm in results.arms}:
        mean, low, high = results.intervals[name]["pst/pair"]
        assert lines[name][3] == [f"{mean:.1f}", f"{low:.1f}", "to", f"{high:.1f}"]


def test_the_published_claim_is_above_our_figures_and_marked_as_not_measured(report):
    *_, shown = report
    assert shown.count(">Published claim, other data and models; not measured here<") == 1
    first = [row for row in rows(shown) if len(row) == 7 and row[0]][1:3]
    assert first == [
        [["standard", "VLM"], ["78.2"], ["62.1"], ["41.3"], ["1.00x"], ["1.00x"], ["-"]],
        [["with", "perceptual", "reward"], ["83.4"], ["68.9"], ["79.6"], ["0.86x"], ["1.20x"], ["-"]],
    ]
    assert shown.index("83.4") < shown.index(">Measured here<") < shown.index(">Measured here: controls<")


def test_controls_are_in_a_group_of_their_own(report):
    results, _, shown = report
    parts = shown.partition(">Measured here: controls<")
    for name in summary.controls(results):
        assert f"<th>{name}<" not in parts[0]
        assert f"<th>{name}<" in parts[2]


def test_a_missing_figure_is_a_dash_and_the_reason_is_given_below(report):
    *_, shown = report
    assert "<li>GQA, all: no files of GQA were given</li>" in shown
    lines = {row[0][0]: row for row in rows(shown) if len(row) == 7 and row[0]}
    assert lines["standard"][2] == ["-"]


def test_benchmarks_whose_questions_are_the_worlds_own_are_not_called_by_their_names(
    results_of, logs_of, tmp_path, capsys
):
    results = results_of(seeds=1, systems=["standard", "perceptual_reward"], synthetic=True)
    logs_of(results, tmp_path)
    html.write(results, tmp_path)
    shown = (tmp_path / html.NAME).read_text(encoding="utf-8")
    assert ["model", "VQA-style,", "synthetic", "GQA-style,", "synthetic"] in [
        [word for cell in row for word in cell][:5] for row in rows(shown)
    ]
    assert "they are not these benchmarks" in shown
    assert "<th>VQA v2" not in shown
    tables.trained(results)
    printed = capsys.readouterr().out
    assert "VQA v2" not in printed
    assert "in these benchmarks' formats" in " ".join(printed.split())


def test_where_it_is_used_is_a_table_with_weather_and_says_what_is_in_time(results_of, logs_of, tmp_path):
    results = results_of(seeds=1, systems=["standard", "cascade"], deadline=25.0)
    used = {"deployment/calls": 1.0, "cost/p99": 40.0, "cost/in_time": 90.0}
    weather = {f"robustness/{kind}/{n}": 10.0 * n for kind in html.WEATHER for n in (1, 2, 3)}
    arms = [msgspec.structs.replace(arm, figures=arm.figures | used | weather) for arm in results.arms]
    results = msgspec.structs.replace(results, arms=arms)
    logs_of(results, tmp_path)
    html.write(results, tmp_path)
    shown = (tmp_path / html.NAME).read_text(encoding="utf-8")
    (row,) = [row for row in rows(shown) if row[0] == ["cascade"] and len(row) == 11]
    assert [row[n] for n in (1, 4, 5, 10)] == [["1.0"], ["40.0"], ["90.0"], ["20.0"]]
    assert "within 25 ms" in shown


def test_what_the_patches_tell_is_followed_from_stage_to_stage(results_of, logs_of, tmp_path):
    results = results_of(seeds=1, systems=["standard", "cascade"])
    probed = {"probes/encoder/column": 0.956, "probes/projector/column": 0.5, "probes/language/row": -0.25}
    arms = [
        msgspec.structs.replace(arm, figures=arm.figures | probed) if arm.system == "standard" else arm
        for arm in results.arms
    ]
    results = msgspec.structs.replace(results, arms=arms)
    logs_of(results, tmp_path)
    html.write(results, tmp_path)
    shown = (tmp_path / html.NAME).read_text(encoding="utf-8")
    (row,) = [row for row in rows(shown) if len(row) == 6 and "→" in row[5]]
    assert [cell.count("→") for cell in row] == [0, 2, 2, 2, 2, 2]
    assert row[0] == ["standard"]
    assert row[1][:3] == ["0.96", "→", "0.50"]
    assert row[2][-1] == "-0.25"


def test_the_page_loads_nothing_and_runs_nothing(report):
    *_, shown = report
    assert "<script" not in shown
    assert "<link" not in shown
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", shown).replace("http-equiv", "")
    sources = re.findall(r'src="([^"]{0,30})', shown)
    assert sources
    assert all(source.startswith("data:image/") for source in sources)


def test_plots_in_the_page_are_the_files_beside_it_and_load_nothing_either(report):
    _, out, shown = report
    for file in (out / plots.FOLDER).glob("*.svg"):
        assert base64.b64encode(file.read_bytes()).decode() in shown
        assert set(re.findall(r'(?:href|src)="(.)', file.read_text(encoding="utf-8"))) <= {"#"}


def test_tags_are_closed(report):
    class Tags(HTMLParser):
        open: list = []  # noqa: RUF012 (of one parser)

        def handle_starttag(self, tag, attrs):  # noqa: ARG002
            if tag not in {"meta", "img", "br"}:
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Tags()
    parser.feed(report[2])
    assert parser.open == []


def test_words_of_the_results_are_escaped(results_of, tmp_path):
    results = results_of(seeds=1, systems=["standard"])
    evil = "<img src=x onerror=alert(1)>"
    lacking = msgspec.structs.replace(results.arms[0], absent={"gqa/overall": f"none & {evil}"})
    named = msgspec.structs.replace(results.arms[0], system=evil)
    results = msgspec.structs.replace(results, command=evil, device=evil, arms=[lacking, named], recipe={evil: evil})
    shown = html.page(results, [], tmp_path)
    assert "<img" not in shown
    assert "none &amp; &lt;img" in shown


def test_a_run_without_perceptual_reward_says_so_instead_of_comparing(results_of, tmp_path):
    results = results_of(seeds=1, systems=["standard", "tools"])
    shown = html.page(results, [], tmp_path)
    assert "What every system reached" in shown
    assert "perceptual_reward did not take part" in shown


def test_overlays_are_in_the_page_where_they_were_drawn(results_of, tmp_path):
    (tmp_path / overlays.NAME).write_bytes(b"a picture")
    shown = html.page(results_of(seeds=1, systems=["standard"]), [], tmp_path)
    assert f"data:image/png;base64,{base64.b64encode(b'a picture').decode()}" in shown


def test_a_missing_log_is_named(report, tmp_path):
    results, *_ = report
    shown = html.page(results, [], tmp_path)
    named = re.search("No log of the training of ([^:]+):", shown)[1].split(", ")
    assert set(named) == {arm.system for arm in results.arms} - {"agent", "debate"}
    assert "No log" not in report[2]


# ---------------------------------------------------------------------------------------------------------- headline


def results_with(results_of, pairs, better, worse, p):
    """Results in which standard and perceptual reward win these shares of the pairs, seed by seed."""
    results = results_of(seeds=len(pairs["standard"]), systems=["standard", "perceptual_reward"])
    arms: list[ArmResult] = [
        msgspec.structs.replace(arm, figures=arm.figures | {"pst/pair": pairs[arm.system][arm.seed]})
        for arm in results.arms
    ]
    test = msgspec.structs.replace(results.compared[0], better=better, worse=worse, p=p)
    return msgspec.structs.replace(results, arms=arms, compared=[test])


@pytest.mark.parametrize(
    ("base", "reward", "test", "headline"),
    [
        ([20.0, 21.0, 22.0], [60.0, 61.0, 59.0], (90, 10, 1e-9), "sees more than a standard VLM"),
        ([60.0, 61.0, 62.0], [20.0, 21.0, 19.0], (10, 90, 1e-9), "sees less than a standard VLM"),
        ([20.0], [60.0], (90, 10, 1e-9), "sees more than a standard VLM, under one seed"),
        ([20.0, 21.0], [22.0, 23.5], (12, 10, 0.8), "no clear difference"),
        ([20.0, 60.0, 20.0], [60.0, 20.0, 70.0], (90, 50, 1e-3), "that all seeds agree on"),
    ],
    ids=["more", "less", "one seed", "chance", "seeds disagree"],
)
def test_the_headline_says_only_what_the_test_and_the_seeds_agree_on(results_of, base, reward, test, headline):
    results = results_with(results_of, {"standard": base, "perceptual_reward": reward}, *test)
    assert headline in html.headline(results)
