"""Promises about the house itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from pstgen.core import plugins, resources
from pstgen.core.records import BadInput

VERBS = {
    "sources": "scenes",
    "families": "ask",
    "priors": "fit",
    "twins": "open",
    "targets": "render",
    "judges": "open",
    "engines": "run",
    "attackers": "attack",
    "readers": "read",
    "checks": "examine",
    "exporters": "write",
    "metrics": "measure",
    "systems": "answer",
}
PLUGINS = [(folder, name) for folder in VERBS for name in plugins.names(folder)]


@pytest.mark.parametrize(("folder", "name"), PLUGINS)
def test_a_plugin_is_one_file_with_its_sentence_and_its_verb(folder, name):
    plugin = plugins.load(folder, name)
    assert plugin.__doc__
    assert callable(getattr(plugin, VERBS[folder]))


def test_no_folder_is_empty():
    assert {folder for folder, _ in PLUGINS} == set(VERBS)


@pytest.mark.parametrize("name", plugins.names("families"))
def test_a_family_has_its_templates(name):
    assert name in {Path(file.name).stem for file in resources.folder("templates").iterdir()}


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(BadInput, match="relation"):
        plugins.load("families", "relations")


@pytest.mark.parametrize("name", resources.FOLDERS)
def test_data_folders_are_found(name):
    assert any(file.name.endswith(".yaml") for file in resources.folder(name).iterdir())


def test_the_command_line_starts_without_torch_or_sklearn():
    code = (
        "import sys, pstgen.cli, pstgen.build; sys.exit(bool({'torch', 'transformers', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_dependencies_point_one_way():
    """import-linter's contracts of pyproject.toml hold."""
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
