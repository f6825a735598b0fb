import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstgen.core.records import Fact, Truth
from pstgen.questions.priors import count, counts, is_prior_part


def fact(answer, about=("banana",)):
    return Fact(scene_id="1", family="colour", form="of", about=about, truth=Truth(answer))


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


@given(st.text(), st.floats(0, 1), st.integers())
def test_the_prior_part_grows_with_its_share(scene_id, share, seed):
    if is_prior_part(scene_id, "", share, seed):
        assert is_prior_part(scene_id, "", 1.0, seed)
    assert not is_prior_part(scene_id, "", 0.0, seed)


def test_the_strongest_priors_come_first_with_their_counts_and_whole_questions_only():
    def fact(n, about, answer):
        return Fact(scene_id=str(n), family="relation", form="side", about=about, truth=Truth(answer))

    sure = [fact(n, ("cup", "dog"), "left") for n in range(20)]
    torn = [fact(n, ("cat", "dog"), ("left", "right")[n % 2]) for n in range(20)]
    few = [fact(n, ("cow", "dog"), "left") for n in range(4)]
    told = counts.fit(count([*torn, *few, *sure])).strongest(5)
    assert told[0] == (("relation", "side", ("cup", "dog")), "left", 20, 20)
    assert [question[2] for question, *_ in told] == [("cup", "dog"), ("cat", "dog")]
