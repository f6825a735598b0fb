"""A benchmark made by POPE's popular rule is won by its words alone; the same questions in pairs are not."""

import json
from collections import Counter

import pytest

from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.report import Refusals
from pstgen.scenes.sources import world as source
from pstgen.verification import attack, readers
from pstgen.verification.samples import Sample

PER_IMAGE = 3  # things that are there, and as many that are not


@pytest.fixture(scope="module")
def scenes():
    config = build_config(source="world", scenes=400, size=64)
    return list(source.scenes(config, lambda _: True, Refusals()))


def reached(samples, name="ngrams"):
    return attack.run(name, samples, VerifyConfig()).result


def test_words_alone_win_where_negatives_are_the_popular_things(scenes, tmp_path):
    """Li et al. 2023: of each image PER_IMAGE things that are there, and the PER_IMAGE most frequent that are not."""
    popular = [
        kind for kind, _ in Counter(kind for s in scenes for kind in {t.category for t in s.instances}).most_common()
    ]
    lines = []
    for scene in scenes:
        there = sorted({thing.category for thing in scene.instances})[:PER_IMAGE]
        absent = [kind for kind in popular if kind not in {thing.category for thing in scene.instances}][:PER_IMAGE]
        for kinds, label in ((there, "yes"), (absent, "no")):
            lines += [{"image": scene.id, "text": f"Is there a {kind} in the image?", "label": label} for kind in kinds]
    file = tmp_path / "pope.json"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert reached(readers.read(file, "pope").samples).items.low > 0.65


def test_in_pairs_words_alone_win_half_of_the_items_and_no_pair(scenes):
    """Each thing is asked about where it is and where it is not."""
    samples = []
    for kind in scenes[0].categories:
        with_it = [s.id for s in scenes if any(t.category == kind for t in s.instances)]
        without = [s.id for s in scenes if s.id not in with_it]
        for n, (yes, no) in enumerate(zip(with_it, without, strict=False)):
            question, pair = f"Is there a {kind} in the image?", f"{kind}{n}"
            samples += [
                Sample(f"{pair}{a}", pair, scene, question, ("yes", "no"), a) for a, scene in enumerate((yes, no))
            ]
    result = reached(samples)
    assert result.pairs.share == 0
    assert result.items.high <= 0.5
