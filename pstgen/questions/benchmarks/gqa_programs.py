"""What a fact's question means in GQA's terms: its program and type, and what its answer entails. Families bring their programs."""

import re
from collections.abc import Sequence

from pstgen.core import plugins
from pstgen.core.records import Fact
from pstgen.questions import families
from pstgen.questions.benchmarks.gqa import Groups, Pointers, Step, Types
from pstgen.questions.families import GqaForm
from pstgen.scenes import vocabulary

STEP = re.compile(r"(?P<operation>.+?): (?P<argument>.*?)(?: \[(?P<dependencies>[\d, ]+)\])?")
EXISTS = "exist"  # the attribute that every object has which a question calls "the"

Key = tuple[str, ...]  # an attribute and its object; or a form and what it is about


def supported_families() -> tuple[str, ...]:
    """The families that have programs, by name."""
    return tuple(name for name in plugins.names("families") if families.gqa_forms(name))


def form_of(fact: Fact) -> GqaForm:
    """How GQA puts the fact's question."""
    return families.gqa_forms(fact.family)[fact.form]


def program(fact: Fact) -> str:
    """The question's program in one line, as in GQA's `semanticStr`."""
    filled = {}
    for slot, word, ids in zip("ab", fact.about, (*_object_ids(fact), ()), strict=False):
        filled[slot] = vocabulary.spoken(word)
        filled[f"the_{slot}"] = f"{vocabulary.spoken(word)} ({','.join(ids) or '-'})"
    return form_of(fact).program.format(**filled)


def steps(line: str) -> list[Step]:
    """The same, step by step.

    >>> [step.argument for step in steps("select: cup (3)->query: color [0]")]
    ['cup (3)', 'color']
    """
    matches = [STEP.fullmatch(part) for part in line.split("->")]
    return [
        Step(step["operation"], step["argument"], [int(n) for n in (step["dependencies"] or "").split(",") if n])
        for step in matches
        if step
    ]


def types(fact: Fact) -> tuple[Types, Groups]:
    """Its type, and the groups of questions with comparable answers. As in GQA, C marks a question whose answer is no."""
    form = form_of(fact)
    counter = "C" if form.structural == "verify" and fact.truth.answer == "no" else ""
    group = form.attribute if form.structural == "query" else None
    groups = Groups(group, f"{fact.family}-{'_'.join(map(vocabulary.spoken, fact.about))}")
    return Types(form.structural, form.semantic, form.detailed + counter), groups


def pointers(fact: Fact, question: str, full_answer: str) -> Pointers:
    """Which words of the question, the answer and the full answer mean which object; of several, the first."""
    objects = {word: ids[0] for word, ids in zip(fact.about, _object_ids(fact), strict=False) if ids}
    texts = (question, str(fact.truth.answer), full_answer)
    return Pointers(*({key: thing for word, thing in objects.items() for key in _where(word, text)} for text in texts))


def entails(first: Fact, second: Fact) -> bool:
    """Does the first question's answer give the answer to the second question? Both are about one scene.

    >>> from pstgen.core.records import Truth
    >>> red, number = (Fact(scene_id="", family=family, form=form, about=("cup",), truth=Truth(answer))
    ...                for family, form, answer in (("colour", "of", "red"), ("count", "many", "1")))
    >>> there = Fact(scene_id="", family="existence", form="given", about=("cup", "dog"), truth=Truth("yes"))
    >>> entails(red, there), entails(there, red), entails(red, number)
    (True, False, False)
    """
    known = _implied(first)
    key, value = _queried(second)
    if key not in known:
        return False
    answer = known[key] if value is None else "yes" if known[key] == value else "no"
    return answer == second.truth.answer


def _queried(fact: Fact) -> tuple[Key, str | None]:
    """What the question asks for, and the value that it names where it asks whether that is the value."""
    form = form_of(fact)
    if not form.attribute:
        return (fact.form, *fact.about), None
    return (form.attribute, fact.about[0]), fact.about[1] if "{b}" in form.program else None


def _implied(fact: Fact) -> dict[Key, str]:
    """What the answer says, and what the question presupposes: that the objects which it calls "the" exist.

    A no to a colour or a number says nothing else: "Does the picture show a red cup?" does not presuppose a cup.
    """
    (key, value), answer = _queried(fact), str(fact.truth.answer)
    if value is not None:
        return {key: value, (EXISTS, key[1]): "yes"} if answer == "yes" else {}
    return {(EXISTS, word): "yes" for word in fact.about} | {key: answer}  # an existence's own answer comes last


def _object_ids(fact: Fact) -> Sequence[tuple[str, ...]]:
    """Ids of the objects that each word means: one each where the program has two objects, else all for the first word."""
    ids = tuple(map(str, fact.evidence))
    return [(thing,) for thing in ids] if "{the_b}" in form_of(fact).program else [ids]


def _where(word: str, text: str) -> list[str]:
    """The first place of the noun, singular or plural, among the text's words.

    >>> _where("teddy bear", "Is the teddy bear red?"), _where("cup", "How many cups?"), _where("cup", "Red.")
    (['2:4'], ['2'], [])
    """
    tokens = [token.strip(".,:;?!()").lower() for token in text.split()]
    for noun in (vocabulary.spoken(word), vocabulary.plural(vocabulary.spoken(word))):
        length = len(noun.split())
        for n in range(len(tokens) - length + 1):
            if tokens[n : n + length] == noun.lower().split():
                return [str(n) if length == 1 else f"{n}:{n + length}"]
    return []
