"""THE SECOND ROAD, from a finished dataset to its certificate: checks, pages, and on request the same set built again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from pstgen.build import build
from pstgen.core import plugins, scratch, workers
from pstgen.core.callable_module import make_callable
from pstgen.core.config import RebuildConfig, VerifyConfig, read
from pstgen.core.progress import Progress, silent
from pstgen.dataset import sealing, store
from pstgen.dataset.store import Dataset
from pstgen.verification import certificate, certificate_page, checks, rebuild
from pstgen.verification.checks import Check, first_problems
from pstgen.verification.findings import Finding


def verify(config: VerifyConfig, progress: Progress = silent, extra: Mapping[str, Check] = {}) -> tuple[Finding, ...]:
    """Examine a dataset and write its certificate.

    Files and manifest come first: where they are not what they must be, no other check runs, and an older certificate stays
    as it is; then what can be worked out anew, then what is looked for. extra: further checks, by name, that come last. Raises BadInput where there is no dataset, Unavailable where
    the certificate cannot be written.
    """
    dataset = store.open(config.folder)
    loaded = {name: checks.load(name) for name in plugins.names("checks")}
    ours = sorted(loaded, key=lambda name: (not checks.works_out_anew(loaded[name]), name))
    others = [name for name in ours if name not in certificate.FIRST and checks.applies(loaded[name], dataset)]
    run = {**{name: loaded[name] for name in (*certificate.FIRST, *others)}, **extra}
    progress.plan([(_step(name), checks.seconds(check)) for name, check in run.items()])
    findings: list[Finding] = []
    for name in certificate.FIRST:
        findings.append(_examined(name, run, dataset, config, progress))
        if not findings[-1].sound:
            return tuple(findings)
    spread = [name for name in others if checks.spreads(loaded[name])]
    found = {name: _examined(name, run, dataset, config, progress) for name in spread}
    found |= _side_by_side([name for name in others if name not in spread], dataset, config, progress)
    findings += [found[name] for name in others]
    findings += [_examined(name, run, dataset, config, progress) for name in extra]
    _write(dataset, config, findings, extra)
    return tuple(findings)


def _step(name: str) -> str:
    return f"checking {name}"


def _examined(
    name: str, run: Mapping[str, Check], dataset: Dataset, config: VerifyConfig, progress: Progress
) -> Finding:
    progress.reach(_step(name), 0, 1)
    finding = run[name].examine(dataset, config)
    progress.reach(_step(name), 1, 1)
    return finding


def _side_by_side(
    names: Sequence[str], dataset: Dataset, config: VerifyConfig, progress: Progress
) -> Iterator[tuple[str, Finding]]:
    """Each check's finding, as they come; of a large set from several processes at once."""

    def begun() -> Iterator[list[str]]:
        for together in checks.together(names):
            for name in together:
                progress.reach(_step(name), 0, 1)
            yield together

    processes = checks.processes(dataset, config)
    for found in workers.parallel_map(partial(_find, dataset, config), begun(), processes, batch=1):
        for name, finding in found:
            progress.reach(_step(name), 1, 1)
            yield name, finding


def _find(dataset: Dataset, config: VerifyConfig, names: Sequence[str]) -> list[tuple[str, Finding]]:
    return [(name, checks.load(name).examine(dataset, config)) for name in names]


def from_folder(folder: str | Path, progress: Progress = silent, **settings: Any) -> tuple[Finding, ...]:
    """Verify a stress test as `pstgen verify` does: `pstgen.verify("pst/")`.

    settings: the command's options. Raises what `verify` raises.
    """
    return verify(read(None, settings | {"folder": folder}, VerifyConfig), progress)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Does a build from the manifest give the same bytes again?

    A check that builds what the manifest says into a folder that does not outlast it, and compares file by file. Verdicts
    of models that are in this machine's cache are not computed again. here: what lies elsewhere on every machine.
    """

    here: RebuildConfig
    progress: Progress = silent

    ANEW: ClassVar[bool] = True
    PROVES: ClassVar[str] = "Built again from the manifest, the set is the same to the byte."
    SECONDS: ClassVar[float] = 80.0

    def examine(self, dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG002
        """Name every file that differs. Raises BadInput where the manifest names what `here` does not."""
        with scratch.folder("pstgen-") as work:
            out = work / "pst"
            build(rebuild.settings(dataset.manifest, self.here, out), self.progress)
            problems = list(rebuild.differences(dataset.manifest, store.open(out).manifest))
        same = "not all the same" if problems else "the same to the byte"
        summary = f"{len(dataset.manifest.files) + 1} files built again, {same}"
        return Finding(check="rebuild", summary=summary, problems=first_problems(problems))


def _write(dataset: Dataset, config: VerifyConfig, findings: Sequence[Finding], extra: Mapping[str, Check]) -> None:
    """Write certificate.html, then certificate.json, which holds the hash of all that was written beside it."""
    issued = certificate.certify(dataset, config, findings, extra)
    page = certificate_page.page(issued, dataset.manifest.origin)
    scratch.put(dataset.folder / certificate.PAGE, page.encode())
    written = {name: path for name in certificate.WRITTEN if (path := dataset.folder / name).is_file()}
    files = {name: sealing.hashed(path) for name, path in written.items()}
    scratch.put(dataset.folder / certificate.NAME, sealing.canonical(msgspec.structs.replace(issued, files=files)))


make_callable(__name__, from_folder)
