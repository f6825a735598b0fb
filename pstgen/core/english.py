"""English nouns and numbers, by inflect."""

from functools import cache
from typing import Any
from unittest.mock import patch


@cache
def grammar() -> Any:
    """Inflect's engine, without its type checks: they rewrite its source as it is imported, which takes seconds."""
    with patch("typeguard.typechecked", lambda function: function):
        import inflect

    return inflect.engine()
