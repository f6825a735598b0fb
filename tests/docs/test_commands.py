"""Every command, option, program and setting that a page shows is real."""

import ast
import importlib
import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from pstgen.cli import main

sys.path.insert(0, str(Path(__file__).parent))
import pages

OUTSIDE = {"equal"}  # the family of examples/new_family.py, which a reader installs
OTHERS = {"trl", "swift"}  # trainers that call a reader's file; they are in no extra
OPTION = re.compile(r"--[a-z][a-z-]*")
EVERYWHERE = pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: str(page.relative_to(pages.CHECKOUT)))


def every(command, name="pstgen"):
    """A command and all below it."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from every(below, f"{name} {below.name}")


def found(words):
    """The command that the words name, and the words after its name."""
    command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def wrong(words, *, whole):
    """What pstgen would refuse of a command line before it opens any file; "" if nothing."""
    command, rest = found(words)
    context = click.Context(command, info_name=command.name)
    last = next((param for param in command.params if rest and rest[-1] in param.opts), None)
    if last and not whole and not getattr(last, "is_flag", False):  # its option is named, and no value
        rest = [*rest, *["NAME"] * last.nargs]
    try:
        given, left, _ = command.make_parser(context).parse_args(list(rest))
        for param in command.params:
            value = given.get(param.name)
            values = value if isinstance(value, (list, tuple)) else [value]
            plain = [each for each in values if isinstance(each, str) and not pages.PLACEHOLDER.fullmatch(each)]
            for each in set(plain) - OUTSIDE:
                if not isinstance(param.type, click.Path):
                    param.type.convert(each, param, context)
            if whole and param.required and not any(isinstance(each, str) for each in values):
                return f"{param.name} is missing"
    except click.ClickException as error:
        return error.format_message()
    return f"too many words: {left}" if left else ""


@EVERYWHERE
def test_a_command_in_a_page_is_understood(page):
    problems = [(words, wrong(words, whole=whole)) for words, whole in pages.commands(page)]
    assert [problem for problem in problems if problem[1]] == []


def test_what_is_not_understood_is_noticed():
    assert "no such option" in wrong(["build", "--sauce", "world"], whole=True).lower()
    assert "nothing" in wrong(["build", "--source", "nothing"], whole=True)
    assert "requires" in wrong(["build", "--source"], whole=True)
    assert wrong(["build", "--source"], whole=False) == ""
    assert "0<=x<=1" in wrong(["build", "--typicality", "2"], whole=True)
    assert wrong(["export", "pst/"], whole=True) == "name is missing"
    assert wrong(["build", "--source", "NAME", "--scenes", "9"], whole=True) == ""
    with pytest.raises(AssertionError, match="no command demolish"):
        wrong(["demolish"], whole=True)


def test_the_pages_show_every_command():
    shown = {found(words)[0].name for page in pages.PAGES for words, _ in pages.commands(page)}
    assert {command.name for command in main.commands.values()} <= shown | {"eye"}
    assert {"train", "measure"} <= shown


def others():
    """Options of other programs that pages name: those of benchmarks, and of git, pip, pytest and harnesses."""
    texts = [file.read_text(encoding="utf-8") for file in sorted((pages.CHECKOUT / "benchmarks").rglob("*.py"))]
    return {option for text in texts for option in OPTION.findall(text)} | {
        "--include_path", "--log_samples", "--no-deps", "--external_plugins", "--reward_funcs", "--dataset_shuffle",
        "--dataset_name", "--repo-type", "--local-dir",
    }  # fmt: skip


@EVERYWHERE
def test_an_option_in_running_text_is_there(page):
    known = {
        option for command in every(main) for param in command.params for option in (*param.opts, *param.secondary_opts)
    }
    named = {span.split()[0].rstrip(",.") for span in pages.spans(page) if span.startswith("--")}
    assert named - known - others() - {"--help"} == set()


@EVERYWHERE
def test_a_program_in_a_page_compiles_and_imports_what_is_there(page):
    for block in (block for block in pages.blocks(page) if block.language == "python"):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.Import):
                assert [each.name for each in node.names if not is_there(each.name)] == []
            elif isinstance(node, ast.ImportFrom) and is_there(node.module) and node.module.startswith("pstgen"):
                module = importlib.import_module(node.module)
                submodules = [each.name for each in node.names if not hasattr(module, each.name)]
                assert [name for name in submodules if not is_there(f"{node.module}.{name}")] == []
            elif isinstance(node, ast.ImportFrom):
                assert is_there(node.module), node.module


def is_there(module):
    """Can it be imported? Trainers of other people need not be installed."""
    return module.partition(".")[0] in OTHERS or importlib.util.find_spec(module) is not None


@EVERYWHERE
def test_data_in_a_page_can_be_read(page):
    for block in pages.blocks(page):
        if block.language == "toml":
            assert tomllib.loads(block.text)
        elif block.language == "yaml":
            assert yaml.safe_load(block.text)
        elif block.language == "json":
            assert [json.loads(line) for line in block.text.splitlines() if line]


def test_the_example_of_a_new_family_is_the_file_that_runs():
    (program,) = [
        block for block in pages.blocks(pages.CHECKOUT / "docs" / "new-family.md") if "TEMPLATE" in block.text
    ]
    example = (pages.CHECKOUT / "examples" / "new_family.py").read_text(encoding="utf-8")
    assert example.endswith(program.text)
