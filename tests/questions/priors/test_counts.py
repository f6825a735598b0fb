"""What is likely, and what the words add to it: sign, base, interval, and what was never seen."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pstgen.core.records import Fact, Truth
from pstgen.questions.priors import count, counts, is_asked, is_prior_part
from pstgen.scenes.truth import colour

YES_NO = ("yes", "no")
MOUSE = ("existence", "given", ("mouse", "keyboard"))
DRAWS = 2000  # of scenes with replacement


def fact(answer, about=("banana",), scene_id="1", family="colour", form="of"):
    return Fact(scene_id=scene_id, family=family, form=form, about=about, truth=Truth(answer))


def office(scene_id, *, keyboard, mouse):
    """A scene with a table, and perhaps a keyboard and a mouse: is there a mouse, given each of the others?"""
    contexts = ("table", *("keyboard",) * keyboard)
    return [fact(YES_NO[not mouse], ("mouse", other), scene_id, "existence", "given") for other in contexts]


def offices(*rows):
    """Fitted to so many scenes of each kind: (how many, with a keyboard, with a mouse)."""
    scenes = [(keyboard, mouse) for n, keyboard, mouse in rows for _ in range(n)]
    return counts.fit(count(f for n, (k, m) in enumerate(scenes) for f in office(str(n), keyboard=k, mouse=m)))


# ------------------------------------------------------------------------------------------------ how likely


def test_many_observations_outweigh_the_smoothing():
    fitted = counts.fit(count([fact("yellow")] * 40 + [fact("green")] * 10))
    yellow, green = fitted.expect(("colour", "of", ("banana",)), ("yellow", "green"))
    assert yellow == pytest.approx(0.8, abs=0.03)
    assert yellow + green == pytest.approx(1)


def test_words_never_seen_fall_back_to_what_the_family_expects():
    fitted = counts.fit(count([fact("yellow")] * 40 + [fact("green")] * 10))
    yellow, green = fitted.expect(("colour", "of", ("lemon",)), ("yellow", "green"))
    assert yellow > green


def test_nothing_seen_expects_nothing():
    assert counts.fit({}).expect(("colour", "of", ("banana",)), ("yellow", "green")) == (0.5, 0.5)


@given(st.lists(st.sampled_from("abcd")), st.permutations("abcd"))
def test_an_expectation_is_a_distribution_in_any_order_of_answers(seen, order):
    fitted = counts.fit(count(map(fact, seen)))
    told = dict(zip(order, fitted.expect(("colour", "of", ("banana",)), tuple(order)), strict=True))
    again = dict(zip("abcd", fitted.expect(("colour", "of", ("banana",)), tuple("abcd")), strict=True))
    assert sum(told.values()) == pytest.approx(1)
    assert told == pytest.approx(again)


def test_of_options_that_are_things_each_is_expected_as_far_as_it_is_there():
    there = [("mouse", 30), ("kite", 2), ("oven", 8)]
    tally = Counter({(("existence", "given", (kind, "keyboard")), YES_NO[no]): (n, 40 - n)[no] for kind, n in there for no in (0, 1)})  # fmt: skip
    fitted = counts.fit(tally)
    for form in (("existence", "which", ("keyboard",)), ("pointing", "what", ("keyboard",))):
        mouse, kite, oven = fitted.expect(form, ("mouse", "kite", "oven"))
        assert mouse + kite + oven == pytest.approx(1)
        assert mouse > oven > kite
        assert mouse / oven == pytest.approx(30 / 8, rel=0.2)


# ------------------------------------------------------------------------------------------------ what is counted


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_without_its_context_a_thing_is_counted_once_a_scene(scenes):
    tally = count(f for n, (k, m) in enumerate(scenes) for f in office(str(n), keyboard=k, mouse=m))
    at_all = {a: n for ((_, form, about), a), n in tally.items() if form == "given at all" and about == ("mouse",)}
    assert at_all == Counter(YES_NO[not mouse] for _, mouse in scenes)
    given_keyboard = {answer: n for (question, answer), n in tally.items() if question == MOUSE}
    assert given_keyboard == Counter(YES_NO[not mouse] for keyboard, mouse in scenes if keyboard)


def test_what_is_counted_without_its_context_is_never_asked():
    fitted = offices((20, True, True), (20, False, False))
    assert not is_asked(("existence", "given at all", ("mouse",)))
    assert {row.question for row in fitted.strongest(1)} == {MOUSE, ("existence", "given", ("mouse", "table"))}


# ------------------------------------------------------------------------------------------------ what the words add


def test_what_is_oftener_there_than_elsewhere_is_expected_though_it_is_seldom_there():
    """The likeliest answer is no; what the keyboard adds is yes."""
    fitted = offices((40, True, True), (60, True, False), (900, False, False))
    assert fitted.expect(MOUSE, YES_NO)[0] < 0.5
    yes, no = fitted.associate(MOUSE, YES_NO)
    assert yes.low > 0 > no.high


def test_what_is_more_seldom_there_than_elsewhere_is_unexpected_though_it_is_mostly_there():
    fitted = offices((60, True, True), (40, True, False), (900, False, True))
    assert fitted.expect(MOUSE, YES_NO)[0] > 0.5
    yes, no = fitted.associate(MOUSE, YES_NO)
    assert yes.high < 0 < no.low


COUNTS = st.integers(0, 300)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_of_yes_and_no_what_is_added_to_the_one_is_taken_from_the_other(a, b, c, d):
    fitted = offices((a, True, True), (b, True, False), (c, False, True), (d, False, False))
    yes, no = fitted.associate(MOUSE, YES_NO)
    assert (yes.value, yes.low, yes.high) == pytest.approx((-no.value, -no.high, -no.low))
    assert yes.low <= yes.value <= yes.high
    assert yes.n == no.n == a + b


def test_it_is_the_log_odds_with_the_context_less_those_without():
    """Worked out by hand; of so many scenes the smoothing makes no difference."""
    fitted = offices((30_000, True, True), (20_000, True, False), (10_000, False, True), (40_000, False, False))
    yes, _ = fitted.associate(MOUSE, YES_NO)
    assert yes.value == pytest.approx(np.log(3 / 2) - np.log(1 / 4), abs=0.01)


def test_scenes_with_the_context_are_no_part_of_the_base():
    """Nearly every scene has a keyboard: all scenes together would hardly differ from those."""
    fitted = offices((60_000, True, True), (30_000, True, False), (2_000, False, True), (8_000, False, False))
    yes, _ = fitted.associate(MOUSE, YES_NO)
    assert yes.value == pytest.approx(np.log(2) - np.log(1 / 4), abs=0.01)


def test_where_every_scene_has_the_context_there_is_no_base_and_nothing_is_sure():
    yes, _ = offices((60, True, True), (30, True, False)).associate(MOUSE, YES_NO)
    assert yes.low < 0 < yes.high


def test_what_has_nothing_to_do_with_the_context_crosses_zero():
    fitted = offices((40, True, True), (60, True, False), (360, False, True), (540, False, False))
    yes, no = fitted.associate(MOUSE, YES_NO)
    assert yes.low < 0 < yes.high
    assert yes.value == pytest.approx(0, abs=0.02) == no.value


@given(st.integers(2, 40))
def test_the_more_scenes_the_narrower_the_interval(n):
    few, many = (offices((3 * k, True, True), (2 * k, True, False), (9 * k, False, False)) for k in (1, n))
    width = [yes.high - yes.low for yes, _ in (fitted.associate(MOUSE, YES_NO) for fitted in (few, many))]
    assert width[1] < width[0]


def added(with_mouse, with_none, elsewhere, nowhere):
    """What a keyboard adds to a mouse, from numbers of scenes: with a keyboard with and without a mouse, and without one."""
    at_all = "existence", "given at all", ("mouse",)
    tally = {(MOUSE, "yes"): with_mouse, (MOUSE, "no"): with_none}
    tally |= {(at_all, "yes"): with_mouse + elsewhere, (at_all, "no"): with_none + nowhere}
    return counts.fit({question: int(n) for question, n in tally.items()}).associate(MOUSE, YES_NO)[0]


def log_odds_apart(scenes):
    """(..., 4) numbers of scenes, with half a scene more of each kind, so that none is none."""
    a, b, c, d = np.moveaxis(scenes + 0.5, -1, 0)
    return np.log(a / b) - np.log(c / d)


KEYBOARDS_AND_MICE = [(400, 0.1, 0.6, 0.05), (400, 0.1, 0.05, 0.3), (1000, 0.05, 0.7, 0.02), (400, 0.2, 0.3, 0.3)]


def shares_of(keyboards, with_one, without):
    kinds = keyboards * with_one, keyboards * (1 - with_one), (1 - keyboards) * without, (1 - keyboards) * (1 - without)
    return np.array(kinds)


@pytest.mark.parametrize(("scenes", *"abc"), KEYBOARDS_AND_MICE)
@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_that_of_scenes_drawn_again_or_wider(scenes, a, b, c, seed):
    """Bootstrap over scenes; where a context was seen a few times with no mouse, or with one each time, it is much wider."""
    rng = np.random.default_rng(seed)
    seen = rng.multinomial(scenes, shares_of(a, b, c))
    low, high = np.percentile(log_odds_apart(rng.multinomial(scenes, seen / scenes, size=DRAWS)), (2.5, 97.5))
    found = added(*seen)
    assert found.low < low + 0.1 * (high - low)
    assert found.high > high - 0.1 * (high - low)
    assert found.high - found.low < 2.5 * (high - low)


@pytest.mark.parametrize(("scenes", *"abc"), KEYBOARDS_AND_MICE)
def test_on_either_side_the_truth_is_outside_about_once_in_forty_times_at_most(scenes, a, b, c):
    shares = shares_of(a, b, c)
    true = np.log(b / (1 - b)) - np.log(c / (1 - c))
    found = [added(*seen) for seen in np.random.default_rng(0).multinomial(scenes, shares, size=1000)]
    assert sum(each.low > true for each in found) < 40
    assert sum(each.high < true for each in found) < 40


NOTHING = {  # (question, answers, share of each answer whatever the words are)
    "given": (MOUSE, YES_NO, (0.2, 0.8)),
    "given, rare": (MOUSE, YES_NO, (0.01, 0.99)),
    "two words": (("relation", "horizontal", ("cup", "dog")), ("left", "right"), (0.5, 0.5)),
    "one word": (("relation", "half", ("cup",)), ("left", "right"), (0.4, 0.6)),
    "four answers": (("relation", "where", ("cup", "dog")), ("left", "right", "above", "below"), (0.4, 0.3, 0.2, 0.1)),
    "named answers": (("size", "larger", ("cup", "dog")), ("cup", "dog"), (0.5, 0.5)),
}


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("n", [5, 7, 10, 20, 60])
def test_words_that_add_nothing_are_seldom_said_to_add_something(name, n):
    """Each answer's interval has 2.5 % above. What words were counted for must not count again as what others say, and what
    others say is no observation: of a thing that is in one of 100 scenes, none in 50 says nothing.
    """
    (question, answers, shares), rng = NOTHING[name], np.random.default_rng(n)
    family, form, about = question
    others = (family, "given at all", ("mouse",)) if form == "given" else (family, form, ("cow",) * len(about))
    draws, wrong = 400, 0
    for _ in range(draws):
        counted, elsewhere = rng.multinomial(n, shares), rng.multinomial(2000, shares)
        elsewhere += counted * (form == "given")  # a scene with the context is one of all scenes
        rows = [(asked, line) for asked, line in ((question, counted), (others, elsewhere))]
        tally = Counter({(asked, a): int(k) for asked, line in rows for a, k in zip(answers, line, strict=True) if k})
        wrong += sum(added.low > 0 for added in counts.fit(tally).associate(question, answers))
    assert wrong <= (0.025 * len(answers) + 0.02) * draws


# ------------------------------------------------------------------------------------------------ other bases


def test_without_a_context_the_base_is_the_form_alone():
    """Things are mostly red; a banana is yellow."""
    red = [fact("red", (f"thing {n}",)) for n in range(3000)]
    fitted = counts.fit(count([*red, *[fact("yellow")] * 300, *[fact("red")] * 100]))
    added = dict(zip(colour.NAMES, fitted.associate(("colour", "of", ("banana",)), colour.NAMES), strict=True))
    assert added["yellow"].low > 0 > added["red"].high
    assert added["yellow"].n == 400
    assert added["yellow"].value == pytest.approx(np.log(300 / 100) - np.log(300 / 3100), abs=0.06)


@given(st.integers(5, 200), st.integers(0, 200))
def test_where_the_words_name_the_answers_the_base_is_a_coin(larger, smaller):
    assume(larger != smaller)
    about = ("cup", "dining table")
    seen = [fact("table", about, str(n), "size", "larger") for n in range(larger)]
    seen += [fact("cup", about, str(n), "size", "larger") for n in range(smaller)]
    cup, table = counts.fit(count(seen)).associate(("size", "larger", about), ("cup", "table"))
    assert (table.value > 0) == (larger > smaller)
    assert table.value == pytest.approx(-cup.value)
    assert table.value == pytest.approx(np.log((larger + 2) / (smaller + 2)))


def test_a_thing_that_has_the_name_of_its_colour_is_as_any_other():
    """An orange is mostly orange: the question names a thing, and no answers to choose from."""
    tally = Counter({(("colour", "of", (kind,)), of): n for kind in ("orange", "carrot") for of, n in (("orange", 40), ("green", 10))})  # fmt: skip
    fitted = counts.fit(tally)
    orange, carrot = (fitted.associate(("colour", "of", (kind,)), ("orange", "green")) for kind in ("orange", "carrot"))
    assert orange == carrot
    assert orange[0].value > orange[1].value


def test_words_never_seen_add_nothing():
    fitted = offices((40, True, True), (60, True, False), (900, False, False))
    for question in (("existence", "given", ("mouse", "kite")), ("colour", "of", ("lemon",))):
        answers = YES_NO if question[0] == "existence" else colour.NAMES
        for each in fitted.associate(question, answers):
            assert each.value == pytest.approx(0)
            assert each.low <= 0 <= each.high
            assert each.n == 0


def test_a_thing_among_the_options_has_the_association_of_its_presence():
    fitted = offices((40, True, True), (60, True, False), (900, False, False))
    (presence, _), (mouse, kite) = (
        fitted.associate(question, answers)
        for question, answers in ((MOUSE, YES_NO), (("existence", "which", ("keyboard",)), ("mouse", "kite")))
    )
    assert mouse == presence
    assert kite.n == 0


def test_a_mark_is_expected_on_a_thing_as_far_as_the_thing_is_there():
    """Where the builder put its marks makes nobody expect anything."""
    fitted = offices((40, True, True), (60, True, False), (900, False, False))
    marks = Counter({(("pointing", "on", ("mouse", "keyboard")), "no"): 10_000})
    again = counts.fit(Counter({(q, a): n for q in fitted.full for a, n in fitted.seen[q].items()}) + marks)
    question = "pointing", "on", ("mouse", "keyboard")
    assert again.associate(question, YES_NO) == fitted.associate(MOUSE, YES_NO)


def test_the_surest_associations_come_first_with_their_counts_and_whole_questions_only():
    def side(n, about, answer):
        return fact(answer, about, str(n), "relation", "horizontal")

    sure = [side(n, ("cup", "dog"), "left") for n in range(20)]
    torn = [side(n, ("cat", "dog"), ("left", "right")[n % 2]) for n in range(20)]
    few = [side(n, ("cow", "dog"), "right") for n in range(4)]
    fitted = counts.fit(count([*torn, *few, *sure]))
    told = fitted.strongest(5)
    assert told[0][:4] == (("relation", "horizontal", ("cup", "dog")), "left", 20, 20)
    assert told[0].association == fitted.associate(told[0].question, ("left", "right"))[0]
    assert {row.question[2] for row in told} == {("cup", "dog"), ("cat", "dog")}
    assert [row.association.low for row in told] == sorted((row.association.low for row in told), reverse=True)


# ------------------------------------------------------------------------------------------------ the prior's part


@given(st.text(), st.floats(0, 1), st.integers())
def test_the_prior_part_grows_with_its_share(scene_id, share, seed):
    if is_prior_part(scene_id, "", share, seed):
        assert is_prior_part(scene_id, "", 1.0, seed)
    assert not is_prior_part(scene_id, "", 0.0, seed)
