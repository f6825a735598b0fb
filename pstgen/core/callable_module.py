"""Modules that can be called: `pstgen.build(...)` builds, although `pstgen.build` is the module of that road."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def make_callable(module: str, function: Callable[..., Any]) -> None:
    """Let the module of that name be called as the function is (a module's class may be replaced: Python data model, 3.3.2)."""

    class CallableModule(ModuleType):
        def __call__(self, *args: Any, **options: Any) -> Any:
            return function(*args, **options)

    CallableModule.__doc__ = function.__doc__
    sys.modules[module].__class__ = CallableModule
