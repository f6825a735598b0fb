"""The same results give the same bytes, and where there are no figures there is no plot."""

import json

import msgspec
import pytest

from pstgen.core.records import BadInput
from pstgen.evaluation import summary
from pstgen.evaluation.report import curves, plots, style

SYSTEMS = ["standard", "perceptual_reward", "stage1_only", "random_targets"]


@pytest.fixture(scope="module")
def drawn(results_of, logs_of, tmp_path_factory):
    out = tmp_path_factory.mktemp("plots")
    results = results_of(seeds=2, systems=SYSTEMS)
    logs_of(results, out)
    return {plot.name: plot for plot in plots.drawn(results, out)}


def test_losses_trade_off_and_robustness_are_all_drawn(drawn):
    losses = {"loss-words", "loss-perception", "loss-parts", "loss-encoder", "gradients"}
    assert drawn.keys() >= {"pairs", "trade-off-choice", "trade-off-perplexity", *losses}
    assert {name for name in drawn if name.startswith("robustness")} == {
        f"robustness-{kind}" for kind in ("rain", "noise", "jpeg", "fgsm", "pgd")
    }


def test_the_same_results_give_the_same_bytes_whatever_is_drawn_in_between(drawn):
    chosen = [drawn[name] for name in ("pairs", "loss-words", "trade-off-choice", "robustness-pgd")]
    first = [plots.render(plot) for plot in chosen]
    again = [plots.render(plot) for plot in reversed(chosen)][::-1]
    assert first == again
    assert not any(b"<dc:date>" in images["svg"] or b"tEXt" in images["png"] for images in first)


def test_without_logs_there_are_no_curves(results_of, tmp_path):
    results = results_of(seeds=1, systems=SYSTEMS)
    drawn = {plot.name for plot in plots.drawn(results, tmp_path)}
    assert "pairs" in drawn
    assert not any(name.startswith("loss") for name in drawn)
    assert plots.missing(results, tmp_path) == sorted(SYSTEMS)


def test_without_robustness_or_language_they_are_not_drawn(results_of, tmp_path):
    results = results_of(seeds=1, systems=["question_only", "agent"])
    assert {plot.name for plot in plots.drawn(results, tmp_path)} >= {"pairs", "robustness-rain"}
    alone = results_of(seeds=1, systems=["question_only"])
    assert {plot.name for plot in plots.drawn(alone, tmp_path) if plot.section != "headlines"} == {"pairs"}


def test_every_figure_that_tables_show_has_a_plot_with_a_line_for_each_system(drawn, results_of):
    from matplotlib.figure import Figure

    figures = results_of(seeds=2, systems=SYSTEMS).arms[0].figures
    known = {f"headline-{c.metric}-{c.headline.name}" for c in summary.columns() if c.figure in figures}
    assert {name for name in drawn if name.startswith("headline")} == known - {"headline-pst-pair"}
    axes = Figure().subplots()
    drawn["headline-vqa-overall"].draw(axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == SYSTEMS


def test_systems_that_differ_in_lambda_alone_are_joined_in_its_order(results_of, tmp_path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    results = results_of(seeds=1, systems=SYSTEMS, reward=0.5)
    reward = next(arm for arm in results.arms if arm.system == "perceptual_reward")
    swept = [
        msgspec.structs.replace(
            reward, system=f"perceptual_reward@{weight}", figures=reward.figures | {"language/choice": kept}
        )
        for weight, kept in ((2.0, 60.0), (0.1, 70.0))
    ]
    results = msgspec.structs.replace(results, arms=[*results.arms, *swept])
    (plot,) = (plot for plot in plots.drawn(results, tmp_path) if plot.name == "trade-off-choice")
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    plot.draw(axes)
    stage1 = next(arm for arm in results.arms if arm.system == "stage1_only")
    kept = [stage1.figures["language/choice"], 70.0, reward.figures["language/choice"], 60.0]
    assert list(axes.lines[0].get_xdata()) == kept
    assert {"λ = 0.1", "λ = 2", "stage1_only, λ = 0"} <= {text.get_text() for text in axes.texts}


def test_standard_and_perceptual_reward_have_colours_of_their_own_under_any_lambda():
    assert style.colour("perceptual_reward@0.1") == style.colour("perceptual_reward") == style.RED
    assert style.colour("standard") == style.BLUE
    assert style.colour("standard_longer") == style.PALE != style.colour("tools")
    assert style.text_colour("standard_longer") != style.PALE


# ---------------------------------------------------------------------------------------------------------- logs


def log(folder, *lines):
    folder.mkdir(parents=True)
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder / "log.jsonl"


def test_a_step_that_a_resumed_run_logs_twice_counts_by_its_later_line(tmp_path):
    file = log(tmp_path / "a", {"step": 0, "words": 2.0}, {"step": 10, "words": 1.5}, {"step": 10, "words": 1.0})
    assert curves.read(file) == {0: {"words": 2.0}, 10: {"words": 1.0}}


def test_a_curve_is_the_mean_over_seeds_of_the_steps_that_all_have(tmp_path):
    log(tmp_path / "seed-0" / "tools" / "model", {"step": 0, "words": 2.0}, {"step": 10, "words": 1.0})
    log(tmp_path / "seed-1" / "tools" / "model", {"step": 0, "words": 4.0})
    assert curves.smoothed(curves.joint(tmp_path, "tools"), ("words",)) == curves.Curve((0,), (3.0,))
    assert curves.smoothed(curves.joint(tmp_path, "tools"), ("contrast",)) is None
    assert curves.joint(tmp_path, "standard") == []


def test_a_broken_line_of_a_log_is_named(tmp_path):
    file = log(tmp_path / "a", {"step": 0, "words": 2.0})
    file.write_text(file.read_text() + '{"step": 10, "wor')
    with pytest.raises(BadInput, match=r"log\.jsonl: line 2: not a step"):
        curves.read(file)
