"""Figures of the tree (sizes, types, docstrings), printed by `make look`."""

import ast
import statistics
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "pstgen"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def body_lines(function: Function) -> int:
    """Lines of the body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def typed(function: Function) -> bool:
    """Has every argument but self a type, and the result one too?"""
    arguments = [a for a in function.args.args + function.args.kwonlyargs if a.arg not in {"self", "cls"}]
    return function.returns is not None and all(a.annotation for a in arguments)


def share(flags: list[bool]) -> str:
    return f"{sum(flags)} of {len(flags)}"


def main() -> None:
    trees = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    lines = [len(path.read_text().splitlines()) for path in trees]
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, Function)]
    bodies = sorted(body_lines(f) for f in functions)
    public = [
        node
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
    ]
    print(f"files        {len(lines)}, median {statistics.median(lines):.0f} lines, longest {max(lines)}")
    print(
        f"functions    {len(bodies)}, body median {statistics.median(bodies):.0f}, "
        f"90 % within {bodies[int(0.9 * len(bodies))]}, longest {bodies[-1]}"
    )
    print(f"typed        {share([typed(f) for f in functions])}")
    print(f"documented   {share([bool(ast.get_docstring(node)) for node in public])} public names")
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Function) and body_lines(node) > 60:
                print(f"over 60 lines: {path.relative_to(PACKAGE.parent)}:{node.lineno} {node.name}")


if __name__ == "__main__":
    main()
