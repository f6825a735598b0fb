"""Figures of the tree, printed by `make look`; tests/test_house.py holds them."""

import ast
import io
import keyword
import re
import statistics
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "pstgen", ROOT / "tests"
# the roads, what trainers import, and a build in parts
ROADS = {"build", "verify", "train_eval", "__init__", "__main__", "rewards", "shards"}
WINDOW = 6  # lines that two places share
COMMON = 8  # places a run may stand in before it is an idiom
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Figure:
    """A figure of the tree and what it must be at least or at most."""

    name: str
    value: float
    least: float = 0
    most: float = float("inf")

    @property
    def holds(self) -> bool:
        return self.least <= self.value <= self.most


def body_lines(function: Function) -> int:
    """Lines of the body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def is_typed(function: Function) -> bool:
    """Has every argument but self a type, and the result too?"""
    arguments = [a for a in function.args.args + function.args.kwonlyargs if a.arg not in {"self", "cls"}]
    return function.returns is not None and all(a.annotation for a in arguments)


def public(tree: ast.Module) -> Iterator[ast.AST]:
    """Public functions and classes of a module, and the public methods of those classes."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (m for m in node.body if isinstance(m, Function) and not m.name.startswith("_"))


def code_lines(text: str) -> dict[int, str]:
    """Lines of code by number, without blanks, comments, docstrings and imports, each as its tokens."""
    tree, left_out = ast.parse(text), set[int]()
    for node in ast.walk(tree):
        is_text = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if is_text or isinstance(node, ast.Import | ast.ImportFrom):
            left_out.update(range(node.lineno, node.end_lineno + 1))
    lines = defaultdict[int, list[str]](list)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.string.strip() and token.type != tokenize.COMMENT and token.start[0] not in left_out:
            lines[token.start[0]].append(token.string)
    return {n: " ".join(tokens) for n, tokens in lines.items()}


def shape(line: str) -> str:
    """The line with every name, string and number alike."""
    words = line.split(" ")
    return " ".join(word if keyword.iskeyword(word) or not re.match(r"[\w\"']", word) else "x" for word in words)


def duplicates(files: dict[Path, dict[int, str]], *, exact: bool) -> int:
    """Pairs of places that share WINDOW lines of code or more, to the letter or in their shape."""
    places = defaultdict[tuple[str, ...], list[tuple[Path, int]]](list)
    for path, lines in files.items():
        numbers = [n for n, line in lines.items() if re.search(r"\w", line)]
        texts = [lines[n] if exact else shape(lines[n]) for n in numbers]
        for at in range(len(numbers) - WINDOW + 1):
            places[tuple(texts[at : at + WINDOW])].append((path, at))
    runs = set[tuple[Path, Path, int]]()
    for found in places.values():
        if 1 < len(found) <= COMMON:
            for (a, at), (b, other) in combinations(found, 2):
                if a != b or abs(at - other) >= WINDOW:
                    runs.add((a, b, other - at))
    return len(runs)


def figures() -> list[Figure]:
    texts = {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    lines = [len(text.splitlines()) for text in texts.values()]
    functions = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, Function)]
    bodies = sorted(body_lines(function) for function in functions)
    documented = [bool(ast.get_docstring(node)) for tree in trees.values() for node in public(tree)]
    code = {path: code_lines(text) for path, text in texts.items()}
    tests = sum(len(code_lines(path.read_text())) for path in TESTS.rglob("*.py"))
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    folders = [path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    loose = {path.stem for path in PACKAGE.glob("*.py")} - ROADS
    return [
        Figure("folders at the top of the package", len(folders), 10, 10),
        Figure("modules beside the three roads", len(loose), 0, 0),
        Figure("import layers", len(linter["contracts"][0]["layers"]), 11, 11),
        Figure("lines of a file, median", statistics.median(lines), most=90),
        Figure("lines of the longest file", max(lines), most=400),
        Figure("lines of a function, 9 of 10 within", bodies[int(0.9 * len(bodies))], most=20),
        Figure("lines of the longest function", bodies[-1], most=50),
        Figure("functions without types", Counter(map(is_typed, functions))[False], most=0),
        Figure("public names with a docstring, %", 100 * sum(documented) / len(documented), least=95),
        Figure("places that repeat six lines to the letter", duplicates(code, exact=True), most=0),
        Figure("lines of tests a line of code", tests / sum(map(len, code.values())), least=0.7),
    ]


def main() -> None:
    for figure in figures():
        bounds = f"{figure.least:g} to {figure.most:g}" if figure.most < float("inf") else f"at least {figure.least:g}"
        print(f"{figure.name:44} {figure.value:8.2f}   {bounds}{'' if figure.holds else '   DOES NOT HOLD'}")
    for module in ("pstgen", "pstgen.build"):
        code = f"from time import perf_counter as now; start = now(); import {module}; print(now() - start)"
        seconds = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
        print(f"{'seconds to import ' + module:44} {seconds:8.2f}")


if __name__ == "__main__":
    main()
