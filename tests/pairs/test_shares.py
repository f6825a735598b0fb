"""Which pairs stay: the strongest, and of too much of anything no more than its share."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstgen.core.config import SelectionConfig
from pstgen.core.records import Association, Candidate, Fact, Item, Pair, Truth
from pstgen.pairs import shares

FREE = SelectionConfig(  # nothing has too much of anything
    max_family_share=1.0,
    pairs_per_scene=99,
    pairs_per_kind=99,
    min_options_share=0.0,
    min_neutral_share=0.0,
    max_direction_share=1.0,
)
NUMBERS = ("1", "2", "3", "4")
THINGS = ("kite", "mouse", "oven", "sheep")
SORTS = {  # options, lure, answer
    "yes": (("yes", "no"), "yes", "no"),
    "no": (("yes", "no"), "no", "yes"),
    "choice": (THINGS, "mouse", "kite"),
    "two": (("left", "right"), "left", "right"),
    "more": (NUMBERS, "1", "2"),
    "fewer": (NUMBERS, "4", "2"),
}


@pytest.fixture(autouse=True)
def small_sets_count(monkeypatch):
    """Shares are minded in the smallest set too."""
    monkeypatch.setattr(shares, "FEW", 0)


quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def free(**more):
    """A selection that minds nothing but this."""
    fields = {name: getattr(FREE, name) for name in FREE.__struct_fields__}
    return SelectionConfig(**fields | more)


def twins(n, sort="choice", *, family="count", form="many", frame="neutral", pull=0.5, scenes=None, about="cup"):
    options, lure, answer = SORTS[sort]

    def item(role, right, scene):
        return Item(
            item_id=f"{family}-{n}-{role}",
            pair_id=f"{family}-{n}",
            role=role,
            scene_id=str(scene),
            image="",
            family=family,
            form=form,
            about=(about,),
            frame=frame,
            question="?",
            neutral="?",
            options=options,
            answer=right,
            lure=lure,
            difficulty=pull,
        )

    a, b = scenes or (f"{family}{n}a", f"{family}{n}b")
    return Pair((item("stress", answer, a),), item("control", lure, b))


@st.composite
def wordings(draw, scenes=12):
    """Pairs of three families with two forms each, from a few scenes."""
    rows = st.tuples(
        st.sampled_from(["existence", "count", "pose"]),
        st.sampled_from(["given", "which"]),
        st.sampled_from(list(SORTS)),
        st.sampled_from(["neutral", "leading"]),
        st.floats(0, 3),
        st.lists(st.integers(0, scenes), min_size=2, max_size=2, unique=True),
        st.sampled_from(["cup", "dog", "kite"]),
    )
    return [
        twins(n, sort, family=family, form=form, frame=frame, pull=pull, scenes=shown, about=about)
        for n, (family, form, sort, frame, pull, shown, about) in enumerate(draw(st.lists(rows, max_size=60)))
    ]


SHARES = st.sampled_from([0.5, 0.55, 0.6, 0.9])
LEAST = st.sampled_from([0.0, 0.1, 0.4, 0.5, 0.9])
CONFIGS = st.builds(
    SelectionConfig,
    max_family_share=SHARES,
    pairs_per_scene=st.integers(1, 5),
    pairs_per_kind=st.integers(1, 3),
    min_options_share=LEAST,
    min_neutral_share=LEAST,
    max_direction_share=SHARES,
)


def sentence(pair):
    return pair.family, pair.control.form


def direction(pair):
    """What the lure says: yes or no; of numbers, whether there are more than it says, or fewer."""
    if set(pair.options) == {"yes", "no"}:
        return pair.lure
    return {"1": "more", "4": "fewer"}.get(pair.lure, "") if pair.options == NUMBERS else ""


# ------------------------------------------------------------------------------------------------ what is promised of any set


@quick
@given(wordings(), CONFIGS)
def test_no_direction_of_a_sentence_is_more_than_its_share(pairs, config):
    """Of yes and no, and of more and fewer."""
    kept = shares.select(pairs, config)
    for of in set(map(sentence, kept)):
        for opposites in ({"yes", "no"}, {"more", "fewer"}):
            lures = Counter(direction(pair) for pair in kept if sentence(pair) == of and direction(pair) in opposites)
            assert max(lures.values(), default=0) <= config.max_direction_share * lures.total() + 1e-6


@quick
@given(wordings(), CONFIGS)
def test_enough_of_them_have_four_options_where_any_has(pairs, config):
    kept = shares.select(pairs, config)
    choices = sum(len(pair.options) == 4 for pair in kept)
    assert not choices or choices >= config.min_options_share * len(kept) - 1e-6


@quick
@given(wordings(), CONFIGS)
def test_enough_of_them_claim_nothing_where_any_does(pairs, config):
    kept = shares.select(pairs, config)
    neutral = sum(pair.control.frame == "neutral" for pair in kept)
    assert not neutral or neutral >= config.min_neutral_share * len(kept) - 1e-6


@quick
@given(wordings(), CONFIGS)
def test_no_family_is_more_than_its_share_unless_it_is_alone(pairs, config):
    families = Counter(pair.family for pair in shares.select(pairs, config))
    if len(families) > 1:
        assert max(families.values()) <= max(config.max_family_share * families.total(), 1)


@quick
@given(wordings(scenes=4), CONFIGS)
def test_no_scene_gives_more_than_it_may_nor_about_one_kind_of_thing(pairs, config):
    kept = shares.select(pairs, config)
    scenes = Counter(item.scene_id for pair in kept for item in pair.items)
    assert max(scenes.values(), default=0) <= config.pairs_per_scene
    kinds = Counter((item.scene_id, kind(item)) for pair in kept for item in pair.items)
    assert max(kinds.values(), default=0) <= config.pairs_per_kind


def kind(item):
    """Where it is asked which thing, the kind is the answer; else what the words name."""
    return item.answer if item.form == "which" else item.about[0]


@quick
@given(wordings(), CONFIGS)
def test_what_is_not_kept_is_counted_by_family_and_reason(pairs, config):
    dropped = Counter()
    kept = shares.select(pairs, config, dropped)
    assert all(n > 0 for n in dropped.values())
    assert {reason for _, reason in dropped} <= {shares.SPREAD, *shares.STEPS}
    lost = Counter()
    for (family, _), n in dropped.items():
        lost[family] += n
    assert lost + Counter(pair.family for pair in kept) == Counter(pair.family for pair in pairs)


@quick
@given(wordings(), CONFIGS, st.randoms(use_true_random=False))
def test_the_order_in_which_pairs_come_changes_nothing(pairs, config, rng):
    shuffled = rng.sample(pairs, len(pairs))
    assert shares.select(shuffled, config) == shares.select(pairs, config)


@quick
@given(wordings(), CONFIGS)
def test_what_was_selected_stays_if_it_is_selected_again(pairs, config):
    kept = shares.select(pairs, config)
    assert {pair.pair_id for pair in shares.select(kept, config)} == {pair.pair_id for pair in kept}


@quick
@given(wordings())
def test_where_nothing_is_asked_for_all_stay_but_what_asks_the_same_of_a_scene_again(pairs):
    kept = shares.select(pairs, FREE)
    facts = [(item.scene_id, item.mark, item.family, item.form, item.about) for pair in kept for item in pair.items]
    assert len(facts) == len(set(facts))
    gone = [pair for pair in pairs if pair.pair_id not in {each.pair_id for each in kept}]
    repeated = [
        any((item.scene_id, item.mark, item.family, item.form, item.about) in facts for item in pair.items)
        for pair in gone
    ]
    assert all(repeated)


# ------------------------------------------------------------------------------------------------ what goes, and what stays


def test_a_pair_stays_once_in_its_first_wording():
    first = twins(0)
    again = Pair(first.stress, replace(first.control, question="Again?"))
    assert shares.select([first, again], FREE) == [first]


def test_the_strongest_pull_comes_first_where_a_scene_may_not_give_all():
    pairs = [twins(n, pull=n / 10, scenes=("s", f"t{n}"), about=f"thing{n}") for n in range(9)]
    kept = shares.select(pairs, free(pairs_per_scene=2))
    assert [pair.control.difficulty for pair in kept] == [0.8, 0.7]


def test_a_large_family_takes_the_scenes_that_a_small_one_leaves():
    large = [twins(n, pull=0.9, scenes=("s", f"t{n}"), about=f"thing{n}") for n in range(5)]
    small = twins(9, pull=0.1, scenes=("s", "t9"), family="existence")
    kept = shares.select([*large, small], free(pairs_per_scene=2))
    assert [pair.family for pair in kept] == ["existence", "count"]


def test_what_asks_again_of_a_kind_of_thing_in_a_scene_goes():
    first, again, other = (
        twins(0, pull=0.9, scenes=("a", "b")),
        twins(1, pull=0.8, scenes=("a", "c")),
        twins(2, pull=0.1, scenes=("a", "d"), about="dog"),
    )
    assert shares.select([first, again, other], free(pairs_per_kind=1)) == [first, other]


def test_an_edited_scene_is_the_scene_that_it_was_made_from():
    first, again = twins(0, scenes=("v/1", "v/2")), twins(1, scenes=("v/1+remove-3a", "v/3"), pull=0.1)
    assert shares.select([first, again], free(pairs_per_kind=1)) == [first]


@pytest.mark.parametrize(("yes", "no", "stay"), [(20, 9, 11), (9, 20, 11), (10, 10, 10), (8, 0, 0)])
def test_of_the_commoner_direction_the_weakest_go(yes, no, stay):
    pairs = [twins(n, "yes", pull=n / 10) for n in range(yes)] + [twins(100 + n, "no", pull=n / 10) for n in range(no)]
    kept = shares.select(pairs, free(max_direction_share=0.55))
    common, rare = ("yes", "no") if yes >= no else ("no", "yes")
    pulls = sorted(pair.control.difficulty for pair in kept if pair.lure == common)
    assert len(pulls) == stay
    assert pulls == sorted(pair.control.difficulty for pair in pairs if pair.lure == common)[-stay or len(pairs) :]
    assert sum(pair.lure == rare for pair in kept) == min(yes, no)


@pytest.mark.parametrize(("more", "fewer", "stay"), [(20, 9, 11), (9, 20, 11), (10, 10, 10), (8, 0, 0)])
def test_fewer_than_one_expects_are_there_about_as_often_as_more(more, fewer, stay):
    """Else whoever takes the larger number is right: of the commoner direction the weakest go."""
    pairs = [twins(n, "more", pull=n / 10) for n in range(more)]
    pairs += [twins(100 + n, "fewer", pull=n / 10) for n in range(fewer)]
    kept = shares.select(pairs, free(max_direction_share=0.55))
    common, rare = ("more", "fewer") if more >= fewer else ("fewer", "more")
    proposed, pulls = (
        sorted(pair.control.difficulty for pair in of if direction(pair) == common) for of in (pairs, kept)
    )
    assert pulls == proposed[len(proposed) - stay :]
    assert len(pulls) == stay
    assert sum(direction(pair) == rare for pair in kept) == min(more, fewer)


def test_numbers_that_are_more_in_one_twin_and_fewer_in_another_have_no_direction():
    first = twins(0, "more")
    low, high = (replace(first.stress[0], answer=answer, lure="2") for answer in ("1", "3"))
    both = Pair((low, high), replace(first.control, answer="2", lure="2"))
    assert first.direction == "more"
    assert both.direction == ""
    assert shares.select([both], free(max_direction_share=0.5)) == [both]


def test_what_is_no_number_and_not_yes_or_no_has_no_direction():
    pairs = [twins(n, sort) for n, sort in enumerate(("choice", "choice", "two"))]
    assert {pair.direction for pair in pairs} == {""}
    assert len(shares.select(pairs, free(max_direction_share=0.5))) == 3


def test_four_options_take_the_scenes_before_a_smaller_familys_two():
    two = twins(0, "two", family="size", pull=0.9, scenes=("s", "a"))
    four = [twins(n, pull=0.1, scenes=("s", f"b{n}"), about=f"thing{n}") for n in range(1, 4)]
    assert {pair.family for pair in shares.select([two, *four], free(pairs_per_scene=2))} == {"count"}


def test_of_two_options_every_family_loses_the_same_share():
    pairs = [twins(n) for n in range(20)]
    pairs += [twins(n, "two", family=family) for family, size in (("size", 40), ("depth", 20)) for n in range(size)]
    families = Counter(pair.family for pair in shares.select(pairs, free(min_options_share=0.5)))
    assert families == {"count": 20, "size": 13, "depth": 6}


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_one_family_alone_is_left_as_it_is(share):
    assert len(shares.select([twins(n) for n in range(7)], free(max_family_share=share))) == 7


# ------------------------------------------------------------------------------------------------ which are judged


def candidate(n, sort="choice", *, form="many", pull=1.0, scene=None, about="cup"):
    options, lure, answer = SORTS[sort]
    facts = [
        Fact(scene_id=scene or f"{n}{name}", family="count", form=form, about=(about,), truth=Truth(right))
        for name, right in (("a", lure), ("b", answer))
    ]
    return Candidate(
        pair_id=f"{n:03}",
        control=facts[0],
        stress=(facts[1],),
        options=options,
        associations=tuple(Association(pull if option == lure else 0.0, 0.0, 0.0, 9) for option in options),
    )


PROPOSED = st.lists(
    st.tuples(st.sampled_from(list(SORTS)), st.sampled_from("ab"), st.floats(0.1, 3), st.integers(0, 5)), max_size=40
).map(lambda rows: [candidate(n, sort, form=form, pull=pull, scene=f"s{at}") for n, (sort, form, pull, at) in enumerate(rows)])  # fmt: skip


@quick
@given(PROPOSED, st.integers(0, 50), st.integers(1, 3), st.randoms(use_true_random=False))
def test_as_many_go_to_the_judges_as_there_may_be_each_once_in_whatever_order_they_come(pairs, most, per_kind, rng):
    first = shares.strongest(pairs, most, per_kind)
    assert len(first) == min(most, len(pairs))
    assert len({pair.pair_id for pair in first}) == len(first)
    assert shares.strongest(rng.sample(pairs, len(pairs)), most, per_kind) == first
    assert shares.strongest(pairs, 99, per_kind)[:most] == first


@quick
@given(st.lists(st.floats(0.1, 3), max_size=30))
def test_of_one_sort_the_strongest_pull_comes_first(pulls):
    pairs = [candidate(n, pull=pull) for n, pull in enumerate(pulls)]
    assert [pair.pull for pair in shares.strongest(pairs, 99, 9)] == sorted(pulls, reverse=True)


def test_every_other_one_has_four_options_and_the_directions_take_turns():
    pairs = [candidate(100 * k + n, sort, pull=1 + 0.1 * k) for k, sort in enumerate(SORTS) for n in range(20)]
    first = shares.strongest(pairs, 24, 9)
    assert Counter(shares._sort(pair) for pair in first) == {"choice": 12, "yes": 4, "no": 4, "two": 4}
    assert [shares._sort(pair) for pair in first[::2]] == ["choice"] * 12


def test_each_form_of_a_sort_has_its_turn_though_another_pulls_more():
    pairs = [candidate(100 * k + n, form=form, pull=2 - k) for k, form in enumerate("ab") for n in range(10)]
    assert Counter(pair.control.form for pair in shares.strongest(pairs, 10, 9)) == {"a": 5, "b": 5}


@pytest.mark.parametrize("per_kind", [1, 2])
def test_of_what_asks_again_about_a_kind_in_a_scene_as_many_as_can_stay_come_first(per_kind):
    again = [candidate(n, scene="s", pull=3) for n in range(6)]
    others = [candidate(10 + n, pull=1) for n in range(6)]
    first = shares.strongest([*again, *others], 12, per_kind)
    assert [pair.pull for pair in first] == [*[3] * per_kind, *[1] * 6, *[3] * (6 - per_kind)]


def test_a_set_of_a_few_pairs_is_kept_as_it_is(monkeypatch):
    monkeypatch.setattr(shares, "FEW", 4)
    pairs = [twins(n, "yes", scenes=(f"s{n}", f"t{n}")) for n in range(4)]
    assert len(shares.select(pairs[:3], free(max_direction_share=0.55))) == 3
    assert shares.select(pairs, free(max_direction_share=0.55)) == []
