"""Tiny models of the architectures that people use, each built once."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

import pytest


@cache
def _tiny_vlms():
    file = Path(__file__).parents[1] / "tiny_vlms" / "__init__.py"
    spec = importlib.util.spec_from_file_location("tiny_vlms", file, submodule_search_locations=[str(file.parent)])
    sys.modules["tiny_vlms"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_generate_tests(metafunc):
    """A test that takes an `architecture` is run for each."""
    if "architecture" in metafunc.fixturenames:
        metafunc.parametrize("architecture", sorted(_tiny_vlms().ARCHITECTURES))


@pytest.fixture(scope="session")
def tiny_vlms():
    """The package that builds them."""
    return _tiny_vlms()


@pytest.fixture(scope="session")
def tiny_folder(tiny_vlms, tmp_path_factory):
    """The folder of one of them, which nobody changes."""

    @cache
    def folder(name):
        return tiny_vlms.build(name, tmp_path_factory.mktemp("tiny") / name)

    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """One of them, loaded once for all tests, which leave it as it is."""
    from pstgen.models.huggingface import Model

    @cache
    def model(name):
        return Model(str(tiny_folder(name)), "cpu", "text" if name.startswith("lm_") else "image-text-to-text")

    return model
