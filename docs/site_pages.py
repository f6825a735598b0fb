"""Pages of the documentation site that are made when it is built: a hook of `mkdocs build`, named by mkdocs.yml.

The README is the first page. The reference is what the commands, the library and the plug-ins say of themselves. Files of the
repository outside docs/ that a page links to (a recipe, an example, the security policy) become pages too, so that no link leads out of the site.
"""

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

import pstgen
from pstgen import cli, rewards
from pstgen.build import from_settings
from pstgen.core import plugins
from pstgen.verify import from_folder

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)[^)#\s]+")  # the address of a link or an image within the repository
LONG = 70  # characters of a signature
LANGUAGES = {".py": "python", ".yaml": "yaml", ".json": "json", ".toml": "toml", ".js": "js"}


def place(path: Path) -> str:
    """Where a file of the repository stands in the site, as MkDocs names sources.

    >>> place(ROOT / "docs" / "why.md"), place(ROOT / "README.md"), place(ROOT / "examples" / "new_family.py")
    ('why.md', 'index.md', 'source/examples/new_family.py.md')
    """
    within = path.relative_to(ROOT)
    if within.parts[0] == "docs" and path.suffix != ".py":
        return within.relative_to("docs").as_posix()
    if within == Path("README.md"):
        return "index.md"
    return f"source/{within.as_posix()}" + ("" if path.suffix == ".md" else ".md")


def linked(page: Path) -> Iterator[tuple[str, Path]]:
    """The links of a Markdown file to files of the repository, as they are written and what they name; of a folder, its README."""
    for address in dict.fromkeys(LINK.findall(page.read_text(encoding="utf-8"))):
        target = (page.parent / address).resolve()
        yield address, target / "README.md" if target.is_dir() else target


def moved(page: Path) -> str:
    """A Markdown file's text, its links leading where their targets stand in the site."""
    here = Path(place(page)).parent
    there = {address: Path(os.path.relpath(place(target), here)).as_posix() for address, target in linked(page)}
    return LINK.sub(lambda found: there[found[0]], page.read_text(encoding="utf-8"))


def shown(file: Path) -> str:
    """A file that is no Markdown, as a page of its text."""
    text = file.read_text(encoding="utf-8").rstrip()
    return f"# {file.relative_to(ROOT).as_posix()}\n\n````{LANGUAGES.get(file.suffix, 'text')}\n{text}\n````\n"


def outside() -> dict[str, str]:
    """The pages of files outside docs/: the README, and whatever it and other pages link to, by their place in the site."""
    made: dict[str, str] = {}
    pages = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    files = [ROOT / "pstgen" / "core" / "config.py"]
    while pages:
        page = pages.pop()
        if (ROOT / "docs") not in page.parents:
            made[place(page)] = moved(page)
        targets = [target for _, target in linked(page) if place(target) not in made]
        pages += [target for target in targets if target.suffix == ".md" and place(target).startswith("source/")]
        files += [target for target in targets if target.suffix != ".md" and place(target).startswith("source/")]
    return made | {place(file): shown(file) for file in files}


def commands() -> str:
    """The help of every command."""
    text = "# Commands\n\nWhat `pstgen COMMAND --help` prints.\n"
    for name, command in helped(cli.main, "pstgen"):
        heading = "##" if name.count(" ") < 2 else "###"
        with click.Context(command, info_name=name, terminal_width=100, **cli.main.context_settings) as context:
            text += f"\n{heading} {name}\n\n```text\n{command.get_help(context)}\n```\n"
    return text


def helped(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, by the words that are typed."""
    yield name, command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from helped(below, f"{name} {below.name}")


def functions() -> str:
    """The library: what `pstgen` and `pstgen.rewards` offer, by their docstrings."""
    text = f"# From Python\n\n{inspect.cleandoc(pstgen.__doc__ or '')}\n"
    roads = {"build": from_settings, "verify": from_folder}
    for name in (name for name in pstgen.__all__ if not name.startswith("_")):
        text += described(f"pstgen.{name}", roads.get(name) or getattr(pstgen, name))
    text += f"\n## pstgen.rewards\n\n{inspect.cleandoc(rewards.__doc__ or '')}\n"
    own = (
        found for found in vars(rewards).values() if inspect.isfunction(found) and found.__module__ == rewards.__name__
    )
    return text + "".join(
        described(found.__name__, found, "###") for found in own if not found.__name__.startswith("_")
    )


def described(name: str, function: Any, heading: str = "##") -> str:
    """A function's signature and docstring, examples as code."""
    about, _, example = inspect.cleandoc(function.__doc__ or "").partition(">>>")
    code = f"\n```pycon\n>>>{example.rstrip()}\n```\n" if example else ""
    return f"\n{heading} {name}\n\n```python\n{name}{signature(function)}\n```\n\n{about.rstrip()}\n{code}"


def signature(function: Any) -> str:
    """As it is written: annotations without quotes and modules, objects that are defaults left out, a line a parameter if it is long.

    >>> signature(first_line)
    '(module: ModuleType) -> str'
    """
    text = re.sub(r" = <[^>]*>", " = ...", str(inspect.signature(function)))
    text = re.sub(r"(?<=[:>] )'([^']*)'", r"\1", text)
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)
    if len(text) < LONG:
        return text
    inside, _, returned = text[1:].rpartition(") -> ")
    parameters = re.split(r", (?=[*\w]+:)", inside)
    return "(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f") -> {returned}"


def kinds() -> str:
    """Every plug-in there is, by kind, with the first line of its docstring."""
    text = "# Plug-ins\n\nWhat stands in the plug-in folders. [To add your own](../contribute.md).\n"
    for kind, folder in plugins.FOLDERS.items():
        text += f"\n## {kind}\n\n`{folder.replace('.', '/')}/`\n\n| name | what it is |\n|---|---|\n"
        text += "".join(f"| `{name}` | {first_line(plugins.load(kind, name))} |\n" for name in plugins.names(kind))
    return text


def first_line(module: ModuleType) -> str:
    """The first sentence of a docstring, as a table's cell holds it."""
    return " ".join((module.__doc__ or "").strip().partition("\n\n")[0].split()).replace("|", "\\|")


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages that are made here (MkDocs calls this once it knows the files of docs/)."""
    from mkdocs.structure.files import File

    reference = {"commands": commands, "python": functions, "plugins": kinds}
    made = outside() | {f"reference/{name}.md": page() for name, page in reference.items()}
    for source, text in made.items():
        files.append(File.generated(config, source, content=text))
    return files


def on_page_markdown(markdown: str, page: "Page", config: "MkDocsConfig", files: "Files") -> str:  # noqa: ARG001 (MkDocs names them)
    """Let links of docs/ that lead out of it lead to the pages made here."""
    own = ROOT / "docs" / page.file.src_uri
    return moved(own) if own.is_file() else markdown
