"""Promises of the router: a question goes to the model that has learnt such questions."""

from pstgen.models.router import Router

WORDS = {
    "count": "How many {}s are there?",
    "colour": "What colour is the {}?",
    "depth": "Which is nearer, the {} or the dog?",
}
THINGS = ("cup", "car", "bus", "tie", "chair", "kite")


def test_a_router_hands_questions_about_things_it_never_read_of_to_the_right_model():
    learnt = [(words.format(thing), name) for name, words in WORDS.items() for thing in THINGS[:3]]
    router = Router(*map(list, zip(*learnt, strict=True)))
    unseen = [(words.format(thing), name) for name, words in WORDS.items() for thing in THINGS[3:]]
    assert router([question for question, _ in unseen]) == [name for _, name in unseen]
    assert router([]) == []


def test_with_one_model_everything_is_for_that_one():
    assert Router(["How many?"], ["counter"])(["What?", "Where?"]) == ["counter"] * 2
