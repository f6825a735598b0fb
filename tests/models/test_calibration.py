"""A blind model's habits are taken away, and who is then no better than chance is not competent."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Item, Verdict
from pstgen.models.calibration import LEAST, MOST, PER_ANSWER, fit, form, ordinary

YES_NO = ("yes", "no")


def item(n, answer="yes", options=YES_NO, family="existence", **other):
    told = {"pair_id": f"p{n}", "role": "control", "scene_id": f"s{n}", "image": "", "form": "given", "about": ("cup",)}
    told |= {"frame": "neutral", "question": f"Question {n}?", "neutral": f"Question {n}?", "lure": answer}
    return Item(item_id=f"i{n:05}", family=family, answer=answer, options=options, **(told | other))


def balanced(each=40, options=YES_NO):
    """Equally many of every answer."""
    return [item(n, options[n % len(options)], options) for n in range(each * len(options))]


def says(of, probabilities):
    """A verdict from the probability of each option by its name."""
    return Verdict(
        item_id=of.item_id, judge="j", logprobs=tuple(np.log([probabilities[o] for o in of.options]).tolist())
    )


def leaning(of, lean, *, right=True):
    """No to everything, at 0.9, a little less where the answer is yes."""
    yes = 0.1 + (lean if (of.answer == "yes") == right else -lean)
    return says(of, {"yes": yes, "no": 1 - yes})


SHARES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3)
COLOURS = ("blue", "green", "red")


@given(st.floats(0.04, 0.09))
def test_who_says_no_to_everything_is_read_by_its_lean(lean):
    items = balanced()
    fitted = fit(items, [leaning(i, lean) for i in items])
    assert (fitted.right, fitted.raw, fitted.of) == (80, 40, 80)
    assert fitted.competent
    for asked in items[:2]:
        calibrated = fitted.apply(asked, leaning(asked, lean))
        assert asked.options[int(np.argmax(calibrated))] == asked.answer


def test_the_more_ordinary_questions_the_smaller_a_lean_is_read():
    """A mean of few questions may be chance: it counts as much as they are many."""
    few, many = (fit(items, [leaning(i, 0.01) for i in items]) for items in (balanced(), balanced(400)))
    assert not few.competent
    assert (many.right, many.raw) == (many.of, many.of // 2)


def test_a_lean_to_the_wrong_side_is_not_competence():
    items = balanced()
    fitted = fit(items, [leaning(i, 0.05, right=False) for i in items])
    assert fitted.right == 0
    assert not fitted.competent


@given(SHARES, st.permutations(COLOURS))
def test_who_says_the_same_to_everything_is_not_competent(shares, options):
    """Whatever it says, and in whatever order the options stand."""
    items, told = balanced(10, tuple(options)), dict(zip(COLOURS, shares, strict=True))
    assert not fit(items, [says(i, told) for i in items]).competent


def test_who_says_the_same_to_everything_is_not_right_because_the_answer_stands_first():
    items = [replace(i, options=(i.answer, "yes" if i.answer == "no" else "no")) for i in balanced()]
    assert not fit(items, [says(i, {"yes": 0.3, "no": 0.7}) for i in items]).competent


def test_noise_is_seldom_taken_for_competence():
    """At 95 % one-sided, about one in twenty; more than one in eight of 300 would be no chance."""
    items, chance = balanced(), np.random.default_rng(0)
    found = 0
    for _ in range(300):
        verdicts = [
            says(i, {"yes": yes, "no": 1 - yes}) for i, yes in zip(items, chance.uniform(0.05, 0.3, 80), strict=True)
        ]
        found += fit(items, verdicts).competent
    assert 0 < found < 300 / 8


def test_who_knows_a_little_more_than_chance_is_competent():
    items = balanced(100)
    verdicts = [leaning(i, 0.05, right=n % 10 < 7) for n, i in enumerate(items)]
    fitted = fit(items, verdicts)
    assert fitted.right == 140
    assert fitted.chance == 100
    assert fitted.competent


def test_chance_is_what_the_commonest_answer_reaches():
    """Not one of so many options: who always says the commonest answer knows nothing of a question."""
    items = [item(n, COLOURS[min(n % 5, 2)], COLOURS) for n in range(100)]
    fitted = fit(items, [says(i, {"blue": 0.1, "green": 0.1, "red": 0.8}) for i in items])
    assert (fitted.chance, fitted.raw) == (pytest.approx(60), 60)
    assert not fitted.competent


def test_of_no_question_nobody_is_competent():
    assert not fit([], []).competent


# ------------------------------------------------------------------------------------------------ apply


@pytest.fixture(scope="module")
def known():
    items = balanced(20, COLOURS)
    return fit(items, [says(i, {"blue": 0.2, "green": 0.1, "red": 0.7} | {i.answer: 0.5}) for i in items])


@given(st.permutations(COLOURS), SHARES)
def test_the_order_of_an_items_options_changes_no_options_share(known, options, shares):
    told = dict(zip(COLOURS, shares, strict=True))
    first, turned = item(0, "red", COLOURS), item(0, "red", tuple(options))
    one, other = (dict(zip(i.options, known.apply(i, says(i, told)), strict=True)) for i in (first, turned))
    assert one == pytest.approx(other)


@given(SHARES, st.floats(-50, 50))
def test_what_is_left_is_log_probabilities_and_only_their_differences_count(known, shares, more):
    asked = item(0, "red", COLOURS)
    verdict = says(asked, dict(zip(COLOURS, shares, strict=True)))
    calibrated = known.apply(asked, verdict)
    assert np.exp(calibrated).sum() == pytest.approx(1)
    shifted = replace(verdict, logprobs=tuple(value + more for value in verdict.logprobs))
    assert known.apply(asked, shifted) == pytest.approx(calibrated)


def test_a_verdict_like_the_mean_says_the_less_the_more_questions_the_mean_is_of():
    says_yes = []
    for each in (1, 4, 40, 4000):
        items = balanced(each)
        verdicts = [says(i, {"yes": 0.25, "no": 0.75}) for i in items]
        says_yes.append(np.exp(fit(items, verdicts).apply(items[0], verdicts[0]))[0])
    assert 0.25 < says_yes[0] < says_yes[1] < says_yes[2] < says_yes[3] == pytest.approx(0.5, abs=1e-3)


def test_a_mean_is_drawn_to_that_of_all_options_as_if_by_so_many_more_questions():
    """Worked out by hand: the logarithm of a quarter weighs 80, that of one half eight."""
    items = balanced()
    means = fit(items, [says(i, {"yes": 0.25, "no": 0.75}) for i in items]).means
    yes, no = means["existence", "given", "yes"], means["existence", "given", "no"]
    assert (yes, no) == pytest.approx((0.25 ** (80 / 88) * 0.5 ** (8 / 88), 0.75 ** (80 / 88) * 0.5 ** (8 / 88)))


@pytest.mark.parametrize("other", [{"family": "count"}, {"form": "other"}])
def test_of_a_form_that_is_not_known_nothing_is_taken_away(known, other):
    question = replace(item(0, "red", COLOURS), **other)
    shares = {"blue": 0.5, "green": 0.2, "red": 0.3}
    assert np.exp(known.apply(question, says(question, shares))) == pytest.approx([shares[o] for o in question.options])


def test_an_option_that_was_never_offered_has_the_mean_of_all(known):
    question = item(0, "blue", ("blue", "green", "mauve"))
    shares = {"blue": 0.5, "green": 0.2, "mauve": 0.3}
    habits = [known.means["existence", "given", "blue"], known.means["existence", "given", "green"], 1 / 3]
    by_hand = np.array([shares[option] / habit for option, habit in zip(question.options, habits, strict=True)])
    assert np.exp(known.apply(question, says(question, shares))) == pytest.approx(by_hand / by_hand.sum())


def test_an_options_habit_is_taken_away_wherever_it_is_offered(known):
    """Red is liked however many others are offered: of two the habit is the same as of three."""
    two, three = (item(0, "red", options) for options in (("blue", "red"), COLOURS))
    told = {"blue": 0.3, "green": 0.3, "red": 0.4}
    of_two, of_three = (dict(zip(i.options, known.apply(i, says(i, told)), strict=True)) for i in (two, three))
    assert of_two["red"] - of_two["blue"] == pytest.approx(of_three["red"] - of_three["blue"])
    assert np.exp(list(of_two.values())).sum() == pytest.approx(1)


THINGS = tuple(f"thing {n}" for n in range(12))


@given(st.lists(st.floats(-2, 2), min_size=12, max_size=12), st.integers(0, 2**32 - 1))
def test_where_every_question_offers_other_things_habits_are_taken_away_option_by_option(habits, seed):
    """A judge likes some things better, and the answer a little: calibrated it is right, though no two questions are alike."""
    rng = np.random.default_rng(seed)
    likes = dict(zip(THINGS, habits, strict=True))
    items = []
    for n in range(240):
        options = tuple(np.array(THINGS)[rng.permutation(12)[:4]].tolist())
        items.append(item(n, options[rng.integers(4)], options, form="which"))
    verdicts = [says(i, normalized({o: likes[o] + 3 * (o == i.answer) for o in i.options})) for i in items]
    fitted = fit(items, verdicts)
    assert {option for _, _, option in fitted.means} == set(THINGS)
    assert fitted.competent
    assert fitted.right >= fitted.raw - 12
    assert fitted.right > 0.8 * fitted.of
    for (_, _, option), mean in fitted.means.items():
        shares = [share(v, i, option) for v, i in zip(verdicts, items, strict=True) if option in i.options]
        n = len(shares)
        assert mean == pytest.approx(np.exp((n * np.log(sum(shares) / n) + LEAST * np.log(1 / 4)) / (n + LEAST)))


def normalized(scores):
    weights = np.exp(list(scores.values()))
    return dict(zip(scores, weights / weights.sum(), strict=True))


def share(verdict, of, option):
    return np.exp(verdict.logprobs[of.options.index(option)])


def test_who_calibrates_itself_is_not_calibrated_again(known):
    asked = item(0, "red", COLOURS)
    own = replace(says(asked, {"blue": 0.2, "green": 0.2, "red": 0.6}), calibrated=(-0.5, -1.5, -2.5))
    assert known.apply(asked, own) == own.calibrated


def test_without_ordinary_questions_a_verdict_stays_as_it_is():
    question = item(0)
    assert fit([], []).apply(question, says(question, {"yes": 0.1, "no": 0.9})) == pytest.approx(np.log([0.1, 0.9]))


def test_an_invalid_answer_stays_invalid_and_counts_as_wrong(known):
    invalid = Verdict(item_id="i", judge="j", logprobs=())
    assert known.apply(item(0, "red", COLOURS), invalid) == ()
    items = balanced()
    fitted = fit(items, [leaning(i, 0.05) if n % 4 else invalid for n, i in enumerate(items)])
    assert (fitted.right, fitted.of) == (60, 80)
    assert not fit(items, [invalid] * 80).competent


def test_an_option_that_is_never_likely_is_not_chosen_for_that():
    """A probability may be too small for a number."""
    items = balanced(20, COLOURS)
    verdicts = [Verdict(item_id=i.item_id, judge="j", logprobs=(-1.0, -2.0, -900.0)) for i in items]
    with np.errstate(all="ignore"):
        calibrated = fit(items, verdicts).apply(items[0], verdicts[0])
    assert not np.isnan(calibrated).any()


# ------------------------------------------------------------------------------------------------ ordinary questions

ASKED = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(COLOURS), st.sampled_from(["colour", "part", "place"])), max_size=300
)


def drawn(asked):
    return [
        item(n, answer, COLOURS, family, question=f"Question {number}?")
        for n, (number, answer, family) in enumerate(asked)
    ]


@given(ASKED)
def test_ordinary_questions_are_balanced_and_each_is_there_once_with_an_answer(asked):
    items = ordinary(drawn(asked))
    assert len({(form(i), i.question, i.answer) for i in items}) == len(items)
    for of in {form(i) for i in items}:
        counts = Counter(i.answer for i in items if form(i) == of)
        assert len(set(counts.values())) == 1
        assert LEAST <= counts.total() <= PER_ANSWER * len(COLOURS)
        assert len(counts) > 1


@given(ASKED)
def test_every_form_that_has_enough_of_two_answers_is_asked(asked):
    examples = drawn(asked)
    items = ordinary(examples)
    for of in {form(i) for i in examples}:
        questions = {(i.question, i.answer) for i in examples if form(i) == of}
        counts = Counter(answer for _, answer in questions)
        enough = len(counts) > 1 and len(counts) * min(PER_ANSWER, *counts.values()) >= LEAST
        assert (of in {form(i) for i in items}) == enough


def test_a_form_that_has_one_answer_only_is_not_asked():
    """Whoever says it always would be right."""
    assert ordinary([item(n, "yes") for n in range(40)]) == []


def test_the_order_of_options_makes_no_other_form():
    assert form(item(0, options=("no", "yes"))) == form(item(1, options=YES_NO))


@st.composite
def which(draw, things=tuple("abcdefgh")):
    """Questions that each offer other things."""
    rows = draw(st.lists(st.tuples(st.permutations(things), st.integers(0, 3)), max_size=120))
    return [item(n, order[place], tuple(order[:4]), form="which") for n, (order, place) in enumerate(rows)]


@given(which())
def test_where_each_question_offers_other_things_the_places_of_the_answer_are_balanced(examples):
    """In alphabetical order: who always takes the first, or the second, is right as often."""
    items = ordinary(examples)
    places = Counter(sorted(i.options).index(i.answer) for i in items)
    assert len(set(places.values())) <= 1
    counts = Counter(sorted(i.options).index(i.answer) for i in examples)
    assert bool(items) == (len(counts) > 1 and len(counts) * min(counts.values()) >= LEAST)
    assert fit(items, [says(i, dict.fromkeys(i.options, 0.25)) for i in items]).chance == pytest.approx(
        len(items) / max(1, len(places))
    )


def test_two_options_and_four_are_not_balanced_together():
    assert form(item(0)) != form(item(1, options=("a", "b", "c", "d"), answer="a"))


def many(forms, options=YES_NO):
    return [
        item(n, options[n % len(options)], options, f"family{n % forms}", question=f"{n}?") for n in range(forms * 48)
    ]


def test_where_there_are_many_forms_all_of_them_are_asked():
    items = ordinary(many(47))
    assert len({form(i) for i in items}) == 47
    assert min(Counter(map(form, items)).values()) >= LEAST


@pytest.mark.parametrize("forms", [40, 95])
def test_there_are_never_more_than_so_many(forms):
    items = ordinary(many(forms))
    assert len(items) <= MOST


@pytest.mark.parametrize(
    ("forms", "options"),
    [(30, YES_NO), (35, YES_NO), (37, COLOURS)],
)
def test_questions_that_are_cut_to_so_many_are_still_balanced(forms, options):
    items = ordinary(many(forms, options))
    for of in {form(i) for i in items}:
        assert len(set(Counter(i.answer for i in items if form(i) == of).values())) == 1
