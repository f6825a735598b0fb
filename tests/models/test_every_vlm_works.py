"""Every architecture that can be asked judges a build, attacks the finished set, and sits train-eval's exam."""

from dataclasses import replace

import pytest

from pstgen import build
from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.records import Unavailable
from pstgen.dataset import store
from pstgen.evaluation import inference
from pstgen.models.answerer import Answerer
from pstgen.models.huggingface import Model
from pstgen.training import systems
from pstgen.verify import verify

pytestmark = pytest.mark.slow
WORLD = {"source": "world", "scenes": 70, "candidates": 2, "wordings": 2, "judges": ("prior",)}
REFUSED = {
    *("blip", "blip2", "instructblip", "instructblipvideo", "kosmos-2", "florence2"),
    *("cosmos3_edge", "got_ocr2", "shieldgemma2"),
}


def test_it_judges_attacks_and_is_examined(architecture, tiny_folder, tmp_path):
    folder, out = str(tiny_folder(architecture)), tmp_path / "pst"
    reads = architecture.startswith("lm_")
    models = {"lm": folder, "vlm": "none"} if reads else {"lm": "none", "vlm": folder}
    config = build.with_defaults(build_config(**WORLD, **models, device="cpu", out=out))
    if architecture in REFUSED:
        with pytest.raises(Unavailable, match=folder):
            build.build(config)
        assert not out.exists()
        return
    build.build(config)
    dataset = store.open(out)
    _attacked(out, ("transformer",) if reads else ("blinded", "blinded_tuned", "other_scene"), folder)
    if reads:
        assert {score.judge for score in dataset.scores()} == {"prior", "lm"}
        return
    seen = sorted(score.item_id for score in dataset.scores() if score.judge == "vlm/seeing")
    assert seen == [item.item_id for item in dataset.items()]
    assert dataset.manifest.models["vlm/seeing"]["agreement"]["items"] == len(seen)
    _examined(dataset, folder)


def _attacked(out, attackers, folder):
    config = VerifyConfig(
        folder=out, folds=2, attackers=attackers, attacker_vlm=folder, attacker_lm=folder, device="cpu"
    )
    (finding,) = (finding for finding in verify(config) if finding.check == "attackers")
    assert tuple(result.attacker for result in finding.attacks) == attackers
    assert all(result.pairs.share == 0 for result in finding.attacks)


def _examined(dataset, folder):
    queries = [inference.as_query(row) for row in dataset.rows()][:6]
    free = [replace(query, options=()) for query in queries[:2]]
    answers = systems.load("standard").answer(Answerer(Model(folder, "cpu")), [*queries, *free])
    assert all(answer in query.options for answer, query in zip(answers, queries, strict=False))
    assert len(answers) == 8
