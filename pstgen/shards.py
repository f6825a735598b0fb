"""A build that several machines share: each judges a shard of the pairs, and a merge makes the set of all parts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pstgen.build import add_images, build, interruptible, judge_pairs, open_judges, prepare, record_others
from pstgen.core import scratch
from pstgen.core.config import BuildConfig, with_settings
from pstgen.core.progress import Progress, silent
from pstgen.core.report import Report
from pstgen.dataset import atomic, parts
from pstgen.dataset.parts import Shard
from pstgen.models.recorded import Recorded


def build_part(config: BuildConfig, shard: Shard, progress: Progress = silent) -> int:
    """Let models judge one shard of a build's pairs, and write what they say to `config.out`; returns how many verdicts.

    What costs little is done for all pairs in every part, so that the parts together know what the whole build asks.
    Raises what `build` raises.
    """
    with atomic.create(config.out) as folder, scratch.folder("pstgen-") as work:
        judges, recorded = open_judges(config), Recorded()
        run = replace(prepare(config, work, progress), shard=shard, recorded=recorded)
        with interruptible(run.report):
            misled, _, gallery, panel = judge_pairs(judges, run)
            record_others(add_images(misled, gallery, run), panel, run)
            return parts.write(folder, shard, config, recorded.known)


def merge(folders: Sequence[Path], out: Path, progress: Progress = silent) -> tuple[BuildConfig, Report, int]:
    """Build the set of which these are all parts; models are asked only what they were not asked in any.

    Returns the settings, what became of everything, and how many verdicts no part had. Raises what `build` raises.
    """
    shared, recorded = parts.read(folders)
    config = with_settings(shared, out=str(out))
    return config, build(config, progress, recorded), recorded.new
