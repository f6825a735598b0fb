"""A card says how the weights were trained, what they reached, and how to load them; its code for loading runs."""

import re
import shutil

import msgspec
import pytest

from pstgen.evaluation.report import model_card


def header(folder):
    _, head, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return msgspec.yaml.decode(head), text


def test_a_card_says_what_was_reached_with_intervals_and_what_was_not_measured(results_of, tmp_path):
    results = results_of(seeds=3)
    arm = next(arm for arm in results.arms if (arm.system, arm.seed) == ("perceptual_reward", 1))
    model_card.write(arm, results, tmp_path)
    head, text = header(tmp_path)
    mean, low, high = results.intervals["perceptual_reward"]["pst/pair"]
    assert f"| PST pairs | {arm.figures['pst/pair']:.1f} | {mean:.1f} [{low:.1f}, {high:.1f}] |" in text
    assert "- GQA: no files of GQA were given" in text
    assert results.command in text
    assert head["license"] == "cc0-1.0"
    assert head["model-index"][0]["results"][0]["metrics"][0]["value"] == round(arm.figures["pst/pair"], 2)
    assert "{" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    "recipe",
    [{"model": "owner/name"}, {"train": "coco"}, {"encoder": "owner/encoder"}],
    ids=["model", "data", "encoder"],
)
def test_only_what_was_learnt_from_the_world_alone_is_given_away(results_of, tmp_path, recipe):
    results = results_of(seeds=1, systems=["standard"], **recipe)
    model_card.write(results.arms[0], results, tmp_path)
    head, text = header(tmp_path)
    assert head["license"] == "other"
    assert head.get("base_model") == recipe.get("model")
    assert "licence is that of the base model" in text


def test_the_folder_of_a_base_model_is_not_disclosed(results_of, tmp_path):
    results = results_of(seeds=1, systems=["standard"], model="/home/somebody/models/llava-7b")
    model_card.write(results.arms[0], results, tmp_path)
    head, text = header(tmp_path)
    assert "base_model" not in head
    assert "`llava-7b`" in text
    assert "somebody" not in text


def test_the_card_s_code_loads_the_model_and_asks_it(results_of, tiny_llava, tmp_path, monkeypatch, capsys):
    import numpy as np

    results = results_of(seeds=1, systems=["standard"])
    shutil.copytree(tiny_llava, tmp_path / "standard")
    model_card.write(results.arms[0], results, tmp_path / "standard")
    monkeypatch.chdir(tmp_path / "standard")
    code = re.search(r"```python\n(.*?)```", header(tmp_path / "standard")[1], re.DOTALL)[1]
    exec(code, {"image": np.zeros((32, 32, 3), np.uint8)})
    assert "Is there a dog in the picture?" in capsys.readouterr().out


def test_every_encoder_with_weights_gets_a_card_by_what_it_was_taught(results_of, tmp_path):
    results = results_of(seeds=2, systems=["perceptual_reward"])
    for name in ("seed-0/encoder-perception", "seed-1/encoder-self-supervised"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "model.safetensors").touch()
    (tmp_path / "seed-0" / "encoder-perception-random").mkdir()
    model_card.write_encoders(results, tmp_path)
    assert "features under each mask" in header(tmp_path / "seed-0" / "encoder-perception")[1]
    assert "hidden patches" in header(tmp_path / "seed-1" / "encoder-self-supervised")[1]
    assert not (tmp_path / "seed-0" / "encoder-perception-random" / "README.md").exists()
