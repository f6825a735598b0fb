"""The counts that come with pstgen: sums that must hold, facts that everybody knows, and pictures that cannot give items."""

from collections import Counter, defaultdict
from math import log

import pytest

from pstgen import build
from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.questions import prior_base
from pstgen.questions.priors import counts, is_asked
from pstgen.scenes import vocabulary
from pstgen.scenes.world.scenes import VERSION

NAMES = prior_base.names()
PHOTOGRAPHS = [name for name in NAMES if isinstance(prior_base.read(name), prior_base.Base)]
YES_NO = ("yes", "no")


@pytest.fixture(scope="module")
def coco():
    """COCO's counts, and those alone, as a prior."""
    base = prior_base.read("coco-2014")
    tally = prior_base.tally("coco-2014", set(base.counts))
    return base, tally, counts.fit(tally)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_no_two_things_are_together_oftener_than_either_is_there(name):
    base = prior_base.read(name)
    shown = list(base.counts.values())
    assert [len(row) for row in base.together] == list(range(len(shown)))
    assert all(0 < n <= base.images for n in shown)
    for n, row in enumerate(base.together):
        assert all(0 <= both <= min(shown[n], shown[other]) for other, both in enumerate(row))


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_it_says_whose_counts_they_are_and_which_pictures_were_counted(name):
    base = prior_base.read(name)
    assert base.licence
    assert base.address.startswith("https://")
    assert base.excludes


def test_its_categories_are_cocos(coco):
    assert {vocabulary.spoken(kind) for kind in coco[0].counts} == set(vocabulary.things())


def test_yes_and_no_add_up_to_the_pictures_that_show_the_context_or_to_all(coco):
    base, tally, _ = coco
    answered = defaultdict(int)
    for (question, _), n in tally.items():
        answered[question] += n
    assert len(answered) == 80 + 80 * 79
    for (_, form, about), n in answered.items():
        assert n == (base.counts[about[1]] if form == "given" else base.images)


def test_two_things_are_together_equally_often_whichever_is_asked_about(coco):
    _, tally, _ = coco
    given = {about: n for ((_, form, about), answer), n in tally.items() if (form, answer) == ("given", "yes")}
    assert given == {about[::-1]: n for about, n in given.items()}


@pytest.mark.parametrize(
    ("context", "expected", "unexpected"),
    [
        ("keyboard", "mouse", "kite"),
        ("toilet", "sink", "giraffe"),
        ("fork", "knife", "airplane"),
        ("surfboard", "person", "oven"),
        ("traffic light", "stop sign", "pizza"),
    ],
)
def test_it_expects_what_everybody_expects(coco, context, expected, unexpected):
    _, _, fitted = coco
    for kind, lure in ((expected, "yes"), (unexpected, "no")):
        added = dict(zip(YES_NO, fitted.associate(("existence", "given", (kind, context)), YES_NO), strict=True))
        assert added[lure].low > 0


def test_of_a_keyboard_and_a_mouse_the_association_is_that_of_the_published_counts(coco):
    """1,471 pictures show a keyboard, 1,290 of 82,081 a mouse."""
    base, tally, fitted = coco
    question = "existence", "given", ("mouse", "keyboard")
    both = tally[question, "yes"]
    assert (base.counts["keyboard"], base.counts["mouse"]) == (1471, 1290)
    assert 600 < both < 1290
    added = fitted.associate(question, YES_NO)[0]
    elsewhere = 1290 - both, 82081 - 1471 - (1290 - both)
    assert added.value == pytest.approx(log(both / (1471 - both)) - log(elsewhere[0] / elsewhere[1]), abs=0.03)
    assert added.n == 1471


def test_only_what_the_source_annotates_is_counted():
    """Of what nobody annotates there is no picture that shows it or does not."""
    tally = prior_base.tally("coco-2014", {"keyboard", "mouse", "unicorn"})
    assert {about for (_, form, about), _ in tally if form == "given"} == {("mouse", "keyboard"), ("keyboard", "mouse")}
    assert {about for (question, form, about), _ in tally if not is_asked((question, form, about))} == {
        ("keyboard",),
        ("mouse",),
    }


MOUSE = "existence", "given", ("mouse", "keyboard")


def test_none_counts_nothing():
    assert prior_base.tally(prior_base.NONE, {"keyboard"}) == Counter()
    own = Counter({(MOUSE, "yes"): 3})
    assert prior_base.mixed(own, 3, prior_base.NONE) == prior_base.mixed(own, 3, None) == own


def keyboards_alone(scenes):
    """So many pictures, each of a keyboard without a mouse."""
    keyboard = "existence", "given", ("keyboard", "mouse")
    return Counter({(MOUSE, "no"): scenes, (("existence", "given at all", ("mouse",)), "no"): scenes, (keyboard, "no"): 1})  # fmt: skip


def added(scenes):
    mixed = prior_base.mixed(keyboards_alone(scenes), scenes, "coco-2014")
    return counts.fit(mixed).associate(MOUSE, YES_NO)[0].value


def test_a_small_source_does_not_outvote_it(coco):
    assert added(80) == pytest.approx(coco[2].associate(MOUSE, YES_NO)[0].value, abs=0.2)


def test_up_to_its_own_number_of_pictures_each_weighs_as_much_as_any_other(coco):
    base, tally, _ = coco
    own = keyboards_alone(base.images)
    mixed = prior_base.mixed(own, base.images, "coco-2014")
    for answer in YES_NO:
        assert mixed[MOUSE, answer] == own[MOUSE, answer] + tally[MOUSE, answer]


@pytest.mark.parametrize("name", NAMES)
def test_a_source_of_more_pictures_stands_alone(name):
    base = prior_base.read(name)
    pictures = base.images if name in PHOTOGRAPHS else base.scenes
    own = keyboards_alone(10)
    assert prior_base.mixed(own, pictures + 1, name) == own
    assert prior_base.mixed(own, pictures, name) != own


def test_what_is_usual_in_the_world_is_added_in_every_family():
    """Bananas are yellow there, and on kitchen tables."""
    fitted = counts.fit(prior_base.mixed(Counter(), 0, "world"))
    yellow, *others = fitted.expect(("colour", "of", ("banana",)), ("yellow", "green", "blue", "red"))
    assert yellow > 0.5 > max(others)
    assert fitted.associate(("existence", "given", ("bowl", "banana")), YES_NO)[0].low > 0


def test_the_worlds_counts_are_of_the_world_as_it_is_drawn_now():
    assert prior_base.read("world").fitted_on["drawn by"] == f"world {VERSION}"


def test_scenes_of_the_world_that_were_counted_give_no_items():
    seed = int(prior_base.read("world").fitted_on["seed"])
    with pytest.raises(BadInput, match=f"--seed {seed}: --prior-base world counts its pictures"):
        build.check(build_config(source="world", seed=seed, prior_base="world"))
    build.check(build_config(source="world", seed=seed + 1, prior_base="world"))


def test_unknown_counts_are_refused_with_those_that_there_are():
    with pytest.raises(BadInput, match=r"'coco-1999'.*coco-2014, world, none"):
        prior_base.read("coco-1999")
    with pytest.raises(BadInput, match="coco-1999"):
        build.check(build_config(prior_base="coco-1999"))


@pytest.mark.parametrize("split", prior_base.read("coco-2014").excludes)
def test_pictures_that_were_counted_give_no_items(split):
    with pytest.raises(BadInput, match=f"--split {split}: --prior-base coco-2014 counts its pictures"):
        build.check(build_config(split=split, prior_base="coco-2014"))
    build.check(build_config(split=split, prior_base="none"))
    build.check(build_config(split="val2017", prior_base="coco-2014"))


def test_photographs_and_the_world_each_rest_on_their_own_where_nothing_else_is_said(tmp_path, photographs):
    photographs(tmp_path, "val2017", range(4))
    photographs(tmp_path, "train2017", range(4))

    def base(**settings):
        return build.with_defaults(build_config(**settings)).questions.prior_base

    assert base(root=tmp_path) == "coco-2014"
    assert base(root=tmp_path, split="train2017") == "none"
    assert base(root=tmp_path, prior_base="none") == "none"
    assert base(source="world") == "world"
    assert base(source="world", prior_base="none") == "none"
