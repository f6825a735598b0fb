"""Every plug-in keeps its kind's contract: each is called as its Protocol says."""

import inspect
import pickle
from dataclasses import replace

import numpy as np
import pytest

from pstgen.core import plugins
from pstgen.core.config import VerifyConfig, build_config
from pstgen.core.records import BadInput, Fact, Item, Target, Truth, Unavailable
from pstgen.core.report import Refusals
from pstgen.dataset import exporters, store, targets
from pstgen.evaluation import metrics
from pstgen.models import engines, judges
from pstgen.pairs import twins
from pstgen.pairs.context import PairContext
from pstgen.questions import families, priors
from pstgen.scenes import sources
from pstgen.training import systems
from pstgen.verification import attackers, checks, readers, samples
from pstgen.verification.attackers import Resources

PLUGINS = [(kind, name) for kind in plugins.FOLDERS for name in plugins.names(kind)]
QUESTION = ("count", "many", ("cup",))


def each(kind):
    return pytest.mark.parametrize("name", plugins.names(kind))


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_a_plugin_says_what_it_is(kind, name):
    assert inspect.getdoc(plugins.load(kind, name))


def test_no_folder_is_empty():
    assert {kind for kind, _ in PLUGINS} == set(plugins.FOLDERS)


@each("sources")
def test_a_source_reads_the_scenes_of_its_index(name, photographs, tmp_path):
    root = photographs(tmp_path, "val2017", range(4)).parents[1]
    config = build_config(source=name, root=root, scenes=4, size=64)
    source, refused = sources.load(name), Refusals()
    index = source.index(config)
    scenes = list(source.scenes(config, lambda _: True, refused))
    assert [scene.id for scene in scenes] == [entry.id for entry in index if entry.at_hand]
    assert {"name", "licence"} <= source.origin(config).keys()
    without = next(iter(source.scenes(config, lambda _: True, refused, lambda _: False)))
    assert without.id == index[0].id


@each("families")
def test_a_family_asks_of_a_scene_and_knows_every_answer(name, kitchen, scene):
    family = families.load(name)
    assert list(family.ask(scene())) == []
    for fact in family.ask(kitchen):
        assert (fact.scene_id, fact.family) == (kitchen.id, name)
        assert not fact.truth.known or fact.truth.answer in family.answers(fact.form, fact.about)


@each("priors")
def test_a_prior_expects_answers_that_sum_to_one(name):
    expectation = priors.load(name).fit({(QUESTION, "1"): 8, (QUESTION, "2"): 2})
    expected = expectation.expect(QUESTION, ("1", "2", "3"))
    assert sum(expected) == pytest.approx(1)
    assert max(expected) == expected[0]
    assert pickle.loads(pickle.dumps(expectation)).expect(QUESTION, ("1", "2", "3")) == expected


@each("priors")
def test_a_prior_says_what_the_words_add_and_which_add_most(name):
    """To what, from how many observations, and between which bounds."""
    other = ("count", "many", ("dog",))
    expectation = priors.load(name).fit({(QUESTION, "1"): 60, (QUESTION, "2"): 20, (other, "2"): 300})
    one, two = expectation.associate(QUESTION, ("1", "2"))
    assert one.low > 0 > two.high
    assert one.low <= one.value <= one.high
    assert one.n == two.n == 80
    rows = {row.question: row for row in expectation.strongest(5)}
    assert rows[QUESTION] == (QUESTION, "1", 60, 80, one)
    assert [row.association.low for row in rows.values()] == sorted(
        (row.association.low for row in rows.values()), reverse=True
    )


@each("twins")
def test_a_twin_maker_pairs_while_scenes_pass(name, kitchen, tmp_path):
    others = {(("count", "many", ("dog",)), "2"): 300}
    expectation = priors.load("counts").fit({(QUESTION, "1"): 60, (QUESTION, "2"): 20, **others})
    maker = twins.load(name).open(PairContext(expectation, build_config(source="world"), tmp_path))
    scenes = [replace(kitchen, id=f"world/{n}") for n in (1, 2)]
    facts = [
        Fact(scene_id=scene.id, family="count", form="many", about=("cup",), truth=Truth(answer))
        for scene, answer in zip(scenes, "12", strict=True)
    ]
    couples = zip(scenes, facts, strict=True)
    looked = [maker.look(scene, [fact]) for scene, fact in couples if name == "matched"]
    found = [pair for each in pickle.loads(pickle.dumps(looked)) for pair in maker.take(each)]
    found += maker.rest()
    assert [pair.lure for pair in found] == ["1"] * (name == "matched")
    assert all(pair.lure != str(stress.truth.answer) for pair in found for stress in pair.stress)


@each("targets")
def test_a_target_is_rendered_at_the_size_of_the_image_or_not_at_all(name, kitchen):
    target = targets.load(name).render(kitchen, tuple(thing.id for thing in kitchen.instances))
    assert target is None or (isinstance(target, Target) and target.kind == name)
    assert target is None or target.pixels.shape == (kitchen.height, kitchen.width)


@each("judges")
def test_a_judge_answers_or_says_what_it_lacks(name):
    config = build_config(source="world", lm=None, vlm=None)
    if name in {"lm", "vlm", "vqa", "endpoint"}:
        with pytest.raises(BadInput, match="--"):
            judges.load(name).open(config)
        return
    opened = judges.load(name).open(config)
    for judge in opened:
        ready = judge.learn([item(n) for n in range(20)], [], priors.load("counts").fit({(QUESTION, "1"): 8}))
        (verdict,) = ready.answer([item(30)])
        assert (verdict.item_id, verdict.judge, len(verdict.logprobs)) == ("i30", judge.name, 2)


@each("engines")
def test_an_engine_gives_every_item_its_verdict_in_order(name):
    (judge,) = judges.load("prior").open(build_config())
    questions = [item(n) for n in range(5)]
    prior = priors.load("counts").fit({(QUESTION, "1"): 8})
    run = engines.load(name).run(judge.learn(questions, [], prior), questions, build_config(batch_size=2))
    assert [verdict.item_id for verdict in run] == [question.item_id for question in questions]


@each("exporters")
def test_an_exporter_writes_into_a_folder(name, sound_set, tmp_path):
    exporters.load(name).write(store.open(sound_set), tmp_path)
    assert any(tmp_path.iterdir())


@each("checks")
def test_a_check_examines_a_set_and_finds_a_sound_one_sound(name, sound_set):
    finding = checks.load(name).examine(store.open(sound_set), VerifyConfig(folder=sound_set))
    assert (finding.check, finding.problems) == (name, ())
    assert finding.summary or finding.untested


@each("attackers")
def test_an_attacker_scores_every_option_or_says_what_it_needs(name):
    if attackers.needs(name) - {"lure"}:
        return  # tests/verification/attackers/test_models.py
    questions = [samples.from_item(item(n)) for n in range(40)]
    scores = attackers.load(name).attack(questions[:30], questions[30:], Resources())
    assert [len(row) for row in scores] == [2] * 10
    assert np.isfinite(scores).all()


@each("readers")
def test_a_reader_says_which_file_it_cannot_read(name, tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        readers.read(tmp_path / "nowhere.json", name)


@each("systems")
def test_a_system_that_is_asked_nothing_answers_nothing(name):
    system = systems.load(name)
    assert type(system.PLAN)(**{field: getattr(system.PLAN, field) for field in system.PLAN.__slots__}) == system.PLAN


@each("metrics")
def test_a_metric_that_can_measure_nothing_says_so(name):
    class Nothing:
        def __getattr__(self, part):
            raise Unavailable(f"there is no {part}")

    try:
        scores = metrics.load(name).measure(Nothing())
    except Unavailable:
        return
    assert not scores.figures
    assert scores.absent


def item(n):
    return Item(
        item_id=f"i{n}",
        pair_id=f"p{n // 2}",
        role=("stress", "control")[n % 2],
        scene_id=f"s{n}",
        image="",
        family="count",
        form="exactly",
        about=("cup", str(n // 2)),
        frame="neutral",
        question=f"Are there exactly {n // 2} cups?",
        neutral=f"Are there exactly {n // 2} cups?",
        options=("yes", "no"),
        answer=("no", "yes")[n % 2],
        lure="yes",
    )
