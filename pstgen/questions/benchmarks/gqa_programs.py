"""What a fact's question means, in GQA's terms: its program and type, and what else its answer tells."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from pstgen.core.records import Fact
from pstgen.questions.benchmarks.gqa import Groups, Pointers, Step, Types
from pstgen.scenes import vocabulary

STEP = re.compile(r"(?P<operation>.+?): (?P<argument>.*?)(?: \[(?P<dependencies>[\d, ]+)\])?")

Told = dict[tuple[str, ...], str]


class Form(NamedTuple):
    """A sentence's type and program. {a}, {b}: the words that fill it; {the_a}, {the_b}: things, with their ids."""

    structural: str
    semantic: str
    detailed: str
    program: str
    group: str | None = None


# GQA's own names of operations and types; it has no questions that count, or that compare how large things look.
FORMS = {
    ("existence", "given"): Form("verify", "obj", "exist", "select: {the_a}->exist: ? [0]"),
    ("colour", "of"): Form("query", "attr", "directOf", "select: {the_a}->query: color [0]", "color"),
    ("colour", "is"): Form("verify", "attr", "verifyAttr", "select: {the_a}->verify color: {b} [0]"),
    ("count", "many"): Form("query", "obj", "count", "select: {the_a}->count: ? [0]", "number"),
    ("count", "exactly"): Form("verify", "obj", "countVerify", "select: {the_a}->count: ? [0]->verify number: {b} [1]"),
    ("relation", "half"): Form("choose", "attr", "positionChoose", "select: {the_a}->choose hposition: left|right [0]"),
    ("relation", "level"): Form(
        "choose", "attr", "positionChoose", "select: {the_a}->choose vposition: lower|upper [0]"
    ),
    ("relation", "horizontal"): Form(
        "choose", "rel", "relChooser", "select: {the_b}->choose rel: {a},to the left of|to the right of,s [0]"
    ),
    ("relation", "vertical"): Form("choose", "rel", "relChooser", "select: {the_b}->choose rel: {a},above|below,s [0]"),
    ("size", "larger"): Form(
        "compare", "attr", "comparativeChoose", "select: {the_a}->select: {the_b}->choose larger: {a}|{b} [0, 1]"
    ),
}


def program(fact: Fact) -> str:
    """The question's program in one line, as `semanticStr` has it."""
    filled = {}
    for slot, word, things in zip("ab", fact.about, (*_pointed(fact), ()), strict=False):
        filled[slot] = vocabulary.spoken(word)
        filled[f"the_{slot}"] = f"{vocabulary.spoken(word)} ({','.join(things) or '-'})"
    return FORMS[fact.family, fact.form].program.format(**filled)


def steps(told: str) -> list[Step]:
    """The same, step by step.

    >>> [step.argument for step in steps("select: cup (3)->query: color [0]")]
    ['cup (3)', 'color']
    """
    found = [STEP.fullmatch(part) for part in told.split("->")]
    return [
        Step(step["operation"], step["argument"], [int(n) for n in (step["dependencies"] or "").split(",") if n])
        for step in found
        if step
    ]


def types(fact: Fact) -> tuple[Types, Groups]:
    """Its type, and the group of questions that have such answers. As in GQA, C marks what is asked and is not so."""
    form = FORMS[fact.family, fact.form]
    counter = "C" if form.structural == "verify" and fact.truth.answer == "no" else ""
    group = Groups(form.group, f"{fact.family}-{'_'.join(map(vocabulary.spoken, fact.about))}")
    return Types(form.structural, form.semantic, form.detailed + counter), group


def pointers(fact: Fact, question: str, full_answer: str) -> Pointers:
    """Which words of the question, the answer and the full answer mean which thing; of several alike, the first one."""
    things = {word: ids[0] for word, ids in zip(fact.about, _pointed(fact), strict=False) if ids}
    texts = (question, str(fact.truth.answer), full_answer)
    return Pointers(*({key: thing for word, thing in things.items() for key in _where(word, text)} for text in texts))


def follows(first: Fact, second: Fact) -> bool:
    """Does who knows the answer to the first question know that to the second? Both are of one scene.

    >>> from pstgen.core.records import Truth
    >>> red, number = (Fact(scene_id="", family=family, form=form, about=("cup",), truth=Truth(answer))
    ...                for family, form, answer in (("colour", "of", "red"), ("count", "many", "1")))
    >>> there = Fact(scene_id="", family="existence", form="given", about=("cup", "dog"), truth=Truth("yes"))
    >>> follows(red, there), follows(there, red), follows(red, number)
    (True, False, False)
    """
    known = _told(first)
    key, value = _asks(second)
    if key not in known:
        return False
    answer = known[key] if value is None else "yes" if known[key] == value else "no"
    return answer == second.truth.answer


def _asks(fact: Fact) -> tuple[tuple[str, ...], str | None]:
    """What the question is about, and the value it asks for, where it is a question of yes or no about that."""
    match fact.family, fact.form, fact.about:
        case "existence", _, (thing, _):
            return ("there", thing), None
        case "colour", _, (thing, *value):
            return ("colour", thing), next(iter(value), None)
        case "count", _, (thing, *value):
            return ("number", thing), next(iter(value), None)
    return (fact.form, *fact.about), None


def _told(fact: Fact) -> Told:
    """What the answer says, and what the question takes for granted: of things that it calls "the", that they are there.

    A no to one colour or one number says nothing else: "Does the picture show a red cup?" takes no cup for granted.
    """
    (key, value), answer = _asks(fact), str(fact.truth.answer)
    if value is not None:
        return {key: value, ("there", key[1]): "yes"} if answer == "yes" else {}
    return {("there", thing): "yes" for thing in fact.about} | {key: answer}  # an existence's own answer comes last


def _pointed(fact: Fact) -> Sequence[tuple[str, ...]]:
    """Ids of the instances that each of the fact's things means; of an existence, of what is asked about only."""
    ids = tuple(map(str, fact.evidence))
    return [(thing,) for thing in ids] if fact.family in {"relation", "size"} else [ids]


def _where(word: str, text: str) -> list[str]:
    """The first place of the noun, singular or plural, among the text's words.

    >>> _where("teddy bear", "Is the teddy bear red?"), _where("cup", "How many cups?"), _where("cup", "Red.")
    (['2:4'], ['2'], [])
    """
    said = [token.strip(".,:;?!()").lower() for token in text.split()]
    for noun in (vocabulary.spoken(word), vocabulary.plural(vocabulary.spoken(word))):
        length = len(noun.split())
        for n in range(len(said) - length + 1):
            if said[n : n + length] == noun.lower().split():
                return [str(n) if length == 1 else f"{n}:{n + length}"]
    return []
