"""What is built again is the same to the byte, or the difference is named with its likely reason."""

import msgspec
import pytest
from click.testing import CliRunner

from pstgen import build
from pstgen.cli import main
from pstgen.core import resources
from pstgen.core.config import RebuildConfig, VerifyConfig, build_config, flat, nested
from pstgen.core.records import BadInput
from pstgen.dataset import sealing, store
from pstgen.verification import rebuild
from pstgen.verify import Rebuild

WORLD = {"source": "world", "prior_base": "world", "scenes": 120, "size": 64, "candidates": 30, "wordings": 2}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    out = tmp_path_factory.mktemp("once") / "pst"
    build.build(build_config(**WORLD, out=out))
    return store.open(out)


def rebuilt(dataset):
    return Rebuild(RebuildConfig()).examine(dataset, VerifyConfig())


def test_the_same_settings_give_the_same_bytes(dataset):
    finding = rebuilt(dataset)
    assert finding.problems == ()
    assert "the same to the byte" in finding.summary


def test_the_settings_are_those_that_it_was_built_with(dataset, tmp_path):
    settings = rebuild.settings(dataset.manifest, RebuildConfig(), tmp_path)
    decided = dataset.manifest.settings["questions"]["prior_share"]  # by the first build, and not decided anew
    assert settings == build_config(**WORLD, prior_share=decided, out=tmp_path)


def changed(dataset, **settings):
    manifest = msgspec.structs.replace(
        dataset.manifest, settings=nested({**flat(dataset.manifest.settings), **settings})
    )
    return store.Dataset(dataset.folder, manifest)


def test_another_setting_gives_other_bytes_and_every_file_is_named(dataset):
    problems = rebuilt(changed(dataset, seed=1)).problems
    assert {line.partition(":")[0] for line in problems} >= {
        "data/test-00000-of-00001.parquet",
        "scores.parquet",
        "README.md",
    }


def test_another_library_is_named_as_a_likely_reason(dataset):
    old = msgspec.structs.replace(dataset.manifest, libraries=dataset.manifest.libraries | {"numpy": "0.1"})
    assert list(rebuild.differences(old, dataset.manifest)) == [
        f"manifest.json: libraries: numpy is {dataset.manifest.libraries['numpy']} now, was 0.1, a likely reason"
    ]


def test_a_file_too_many_and_one_too_few_are_named(dataset):
    files = dict(dataset.manifest.files)
    files["old.txt"] = files.pop("README.md")
    problems = list(rebuild.differences(msgspec.structs.replace(dataset.manifest, files=files), dataset.manifest))
    assert problems == ["README.md: is built now, and was not", "old.txt: is not built again"]


def test_where_only_scores_differ_rounding_is_named_as_a_likely_reason(dataset):
    scores = sealing.File(bytes=1, sha256="0" * 64)
    old = msgspec.structs.replace(dataset.manifest, files=dataset.manifest.files | {"scores.parquet": scores})
    (file, reason) = rebuild.differences(old, dataset.manifest)
    assert file.startswith("scores.parquet: has sha256")
    assert "number of threads, a likely reason" in reason


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"vlm": "smolvlm"}, "--vlm (smolvlm)"),
        ({"detector": "0f3a"}, "--detector (0f3a)"),
        ({"judges": ["prior", "vqa"]}, "--prior-vqa"),
        ({"depth_model": "deep"}, "--depth-model (deep)"),
    ],
)
def test_what_was_named_then_must_be_named_again(dataset, tmp_path, settings, option):
    manifest = changed(dataset, **settings).manifest
    with pytest.raises(BadInput, match="name it again") as error:
        rebuild.settings(manifest, RebuildConfig(), tmp_path)
    assert option in str(error.value)


def test_models_that_come_with_pstgen_need_no_naming(dataset, tmp_path):
    manifest = changed(dataset, lm="words", judges=["prior", "text", "lm"]).manifest
    assert rebuild.settings(manifest, RebuildConfig(), tmp_path).judges.lm == str(resources.model_folder("words"))


def test_a_setting_that_this_version_lacks_is_named(dataset, tmp_path):
    with pytest.raises(BadInput, match=r"manifest\.json.*smell"):
        rebuild.settings(changed(dataset, smell=3).manifest, RebuildConfig(), tmp_path)


@pytest.mark.slow
def test_verify_rebuild_exits_0_where_all_is_the_same_and_1_where_a_setting_was_flipped(dataset):
    again = CliRunner().invoke(main, ["verify", str(dataset.folder), "--rebuild"])
    assert again.exit_code == 0, again.output
    assert "the same to the byte" in (dataset.folder / "certificate.json").read_text()
    (dataset.folder / "certificate.json").unlink()
    store.seal(dataset.folder, _without_seals(changed(dataset, min_pull=0.2).manifest, dataset.folder))
    flipped = CliRunner().invoke(main, ["verify", str(dataset.folder), "--rebuild"])
    assert flipped.exit_code == 1
    assert "data/test-00000-of-00001.parquet" in flipped.output


def _without_seals(manifest, folder):
    """As a forger seals it: with the files that are there, but for what verify wrote."""
    for name in ("manifest.json", "certificate.html", "vulnerability.parquet"):
        (folder / name).unlink()
    return manifest
