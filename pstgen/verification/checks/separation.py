"""Do the items keep away from what the prior was fitted on, and does every image stand for one scene?"""

from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256

from pstgen.core.config import VerifyConfig, flat
from pstgen.core.records import origin
from pstgen.dataset.store import Dataset
from pstgen.questions.priors import is_prior_part
from pstgen.verification import probes
from pstgen.verification.checks import first_problems
from pstgen.verification.findings import Finding

PROVES = "No scene of the set fed the prior that the lures come from."


def examine(dataset: Dataset, config: VerifyConfig, /) -> Finding:  # noqa: ARG001
    """Apply the rule that parted the scenes again, and compare the images' bytes; edits of one scene may be alike."""
    rule = [flat(dataset.manifest.settings)[name] for name in ("prior_split", "prior_share", "seed")]
    scenes: defaultdict[str, set[str]] = defaultdict(set)
    for file in probes.image_files(dataset):
        scenes[sha256(file.data).hexdigest()].add(origin(file.item.scene_id))

    def problems() -> Iterator[str]:
        for names in scenes.values():
            yield from (f"scene {name}: fed the prior" for name in sorted(names) if is_prior_part(name, *rule))
            if len(names) > 1:
                yield f"scenes {', '.join(sorted(names))}: show one and the same image"

    summary = f"{len(scenes):,} images, none of the prior's part"
    return Finding(check="separation", summary=summary, problems=first_problems(problems()))
