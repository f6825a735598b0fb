"""The command that publishes a set: what is in order, what is written for a release, and the upload."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pstgen.cli.exits import NOT_SOUND
from pstgen.cli.shared import JSON, Examples, emit, if_interrupted, meta, say
from pstgen.cli.terminal import echo
from pstgen.core.records import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pstgen.dataset.hub import Place
    from pstgen.dataset.release import Version
    from pstgen.dataset.store import Dataset
    from pstgen.verification.publication import Point

SIGNS = {"in order": "ok", "not in order": "NO", "not checked": "--"}


@click.command(
    short_help="Check a set as a publisher would; upload it.",
    cls=Examples,
    epilog="pstgen publish pst/ --check\npstgen publish pst/\npstgen publish new/ --since old/ --note 'More photographs.'\n"
    "pstgen publish pst/ --push USER/pst --private",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Look, and write nothing.")
@click.option("--release", metavar="VERSION", help="MAJOR.MINOR.PATCH.  [default: 1.0.0, or what follows from --since]")
@click.option("--since", type=click.Path(path_type=Path), help="The older set that this one follows.")
@click.option("--note", default="", metavar="TEXT", help="A line about this version, for CHANGELOG.md.")
@click.option("--push", metavar="USER/NAME", help="Upload to this data set of Hugging Face's hub; goes online.")
@click.option("--endpoint", metavar="URL", help="Another server with the hub's API.")
@click.option("--private", is_flag=True, help="Nobody else can see it there.")
@click.option("--update", is_flag=True, help="It is there already: add this version.")
@click.option("--force", is_flag=True, help="Upload although something is not in order.")
@JSON
def publish(  # noqa: PLR0913 (its options)
    folder: Path,
    *,
    only_check: bool,
    release: str | None,
    since: Path | None,
    note: str,
    push: str | None,
    endpoint: str | None,
    private: bool,
    update: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Check a set as somebody would who publishes it: files, certificate, card, licences, metadata, version.

    Without --check it first writes CHANGELOG.md, ERRATA.md and croissant-published.json, which are not among the files that are
    sealed. Only --push goes online.

    Exit code: 0 all is in order, 1 something is not; others: pstgen --help.
    """
    from pstgen.dataset import hub, store
    from pstgen.dataset.damage import readable
    from pstgen.verification import publication

    _refuse(only_check=only_check, writing=bool(release or since or note or push), pushing=bool(push), options={"--endpoint": endpoint, "--private": private, "--update": update, "--force": force})  # fmt: skip
    place = hub.Place(push, endpoint, private, update) if push else None
    url = place.url if place else ""
    if place:
        hub.token()  # before any work
    with readable(folder):
        dataset = store.open(folder)
    if not only_check:
        with readable(since or folder):
            _write(dataset, release, since, note, url)
    points = publication.examine(dataset)
    ready = publication.ready(points)
    if place and not ready and not force:
        _report(dataset, points, "", as_json=as_json)
        raise BadInput(
            f"{folder}: was not uploaded: something is not in order; mend it, or upload it all the same by --force"
        )
    if place:
        _push(dataset, place)
    _report(dataset, points, url, as_json=as_json)
    if not ready and not push:
        sys.exit(NOT_SOUND)


def _refuse(*, only_check: bool, writing: bool, pushing: bool, options: dict[str, object]) -> None:
    """Raise BadInput where options contradict each other."""
    if only_check and writing:
        raise BadInput("--check writes nothing, so --release, --since, --note and --push do not go with it")
    for name, value in options.items():
        if value and not pushing:
            raise BadInput(f"{name} is about an upload: type --push USER/NAME too")


def _write(dataset: Dataset, release: str | None, since: Path | None, note: str, url: str) -> Version:
    """Write what belongs to a version, unless the newest one is of this set already and no other is named."""
    from pstgen.dataset import release as releases
    from pstgen.dataset import store
    from pstgen.verification import publication

    version = releases.current(dataset)
    if version is None or release or since or note:
        older = store.open(since) if since else None
        today = datetime.now(UTC).date()
        version = releases.add_version(dataset, release, older, note, today)
        say(f"{dataset.folder / releases.CHANGELOG}: version {version.number} added")
    releases.add_errata(dataset.folder, publication.wrong_items(dataset))
    releases.write_croissant(dataset.folder, version, url)
    return version


def _push(dataset: Dataset, place: Place) -> None:
    """Upload every file that belongs to the set, and nothing else that lies in its folder."""
    from pstgen.dataset import hub, release
    from pstgen.verification import annotations, certificate

    newest = release.current(dataset)
    beside = (certificate.NAME, *certificate.WRITTEN, annotations.FILE, *release.WRITTEN)
    names = ["manifest.json", *dataset.manifest.files, *(name for name in beside if (dataset.folder / name).is_file())]
    tag = f"v{newest.number}" if newest else f"v{release.FIRST}"
    with if_interrupted("what was uploaded so far stays; the same command goes on"):
        if meta("quiet"):
            hub.be_quiet()
        url = hub.push(dataset.folder, place, names, tag)
    say(f"{url}: {len(names)} files uploaded, tag {tag}")


def _report(dataset: Dataset, points: Sequence[Point], url: str, *, as_json: bool) -> None:
    """Say what is in order and what is not. url: where the set was uploaded to, or ""."""
    from pstgen.verification import publication

    ready, folder = publication.ready(points), dataset.folder
    if as_json:
        emit({"folder": folder, "ready": ready, "points": [point._asdict() for point in points], "url": url})
        return
    _print(points)
    echo(f"{folder}: {'all is in order' if ready else 'not everything is in order'}", err=not ready)


def _print(points: Sequence[Point]) -> None:
    """A line a point, and below it what to do where it is not in order."""
    width = max(len(point.name) for point in points)
    for point in points:
        echo(f"{SIGNS[point.state]}  {point.name:<{width}}  {point.says}")
        if point.remedy:
            echo(f"    {'':<{width}}  -> {point.remedy}")
