"""Tiny models of the architectures that people use, each loaded once."""

from functools import cache

import pytest


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """One of them, loaded once for all tests, which leave it as it is."""
    from pstgen.models.huggingface import Model

    @cache
    def model(name):
        return Model(str(tiny_folder(name)), "cpu", "text" if name.startswith("lm_") else "image-text-to-text")

    return model
