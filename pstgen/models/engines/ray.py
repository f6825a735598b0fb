"""On a Ray cluster: models are opened by workers, as many as there are GPUs, and the verdicts are those of the engine local."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from pstgen.core.config import BuildConfig
from pstgen.core.records import Item, Verdict
from pstgen.models import answering, ray_pool, ray_worker
from pstgen.models.answering import Answered, Batch
from pstgen.models.judges import Judge


def run(judge: Judge, items: Sequence[Item], config: BuildConfig, /) -> Iterator[Verdict]:
    """Judge in the same batches as the engine local, in whatever order they are done; this process alone writes the journal.

    Judges that are not durable, and servers, which have limits to keep, answer in this process. Raises Unavailable where Ray is
    missing, no worker can be kept alive, or items failed, RuntimeError where other items come back than were sent.
    """
    server: str = getattr(judge, "server", "")
    if not judge.durable or server:
        yield from answering.run_here(judge, items, config)
        return

    def ask(batches: Iterator[Batch]) -> Iterator[Answered]:
        return pool(config).ask(ray_worker.recipe(judge), batches, with_images=judge.sees)

    yield from answering.run(judge, items, config, ask)


def check(config: BuildConfig, /) -> None:  # noqa: ARG001
    """Raise Unavailable where Ray is not installed."""
    ray_pool.installed()


@lru_cache(maxsize=1)
def pool(config: BuildConfig) -> ray_pool.Pool:
    """The workers of a run; they live until another run takes their place or the process ends."""
    return ray_pool.Pool(config)
