"""VQA v2's accuracy by its official rule, which means by the rule of its published tool, quirks included.

An answer's accuracy is min(1, people who gave it / 3), averaged over the ten ways to leave one of the ten people out. So
three who agree give 0.9, and not 1. Before that, people's answers and the prediction are made alike, where not all ten
people said the same. The quirks, each of which changes somebody's score:

- Where all ten agree, nothing is made alike, not even capitals: "Yes" is wrong where all say "yes".
- A mark is taken away where it stands beside a space anywhere in the answer, or where any comma in it stands between
  digits; else it becomes a space. So "a-b" is "a b", "a-b c- d" is "ab c d", and "1,000 a-b" is "1000 ab".
- A full stop goes unless a digit follows, whatever is before it, and only the first 32 of them: the tool passes a flag
  where the number of replacements is expected. Apostrophe and colon stay.
- Numbers are words up to ten, and "none" is 0. Articles go wherever they stand: "vitamin a" is "vitamin".
- Contractions get their apostrophe where exactly one is missing and the tool's list has them: "dont" and "couldn'tve",
  but neither "im" nor "ive", which its list has with a capital I, after all capitals are gone; and "somebody'd" loses its.

The tool rounds to two decimals, this does not. Source: visualqa.org/evaluation.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from statistics import fmean

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import Evaluation, Headline, Scores
from pstgen.questions.benchmarks import files, vqa_v2

HEADLINES = (Headline("overall", "VQA v2", place=10, compared="question"),)
MARKS = ';/[]"{}()=+\\_-><@`,?!'
STOPS = 32  # full stops that are taken away, at most
COUNTING = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0"} | {word: str(n) for n, word in enumerate(COUNTING)}
ARTICLES = frozenset({"a", "an", "the"})
CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
    he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
    o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
    someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
    there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
    what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've
""".split()  # noqa: SIM905 - words, not a list of quotes


def _one_dropped(word: str) -> list[str]:
    """The word without one of its apostrophes."""
    return [word[:n] + word[n + 1 :] for n, letter in enumerate(word) if letter == "'"]


APOSTROPHES = {wrong: word for word in CONTRACTIONS for wrong in _one_dropped(word)} | {"somebody'd": "somebodyd"}


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on the questions that were asked."""
    answers, where = evaluation.answers.vqa, evaluation.benchmarks.get("vqa")
    if where is None:
        return Scores(figures={}, absent={"overall": "no files of VQA were given"})
    return score(answers, where, set(answers))


def score(predictions: Mapping[str, str], where: Path, /, question_ids: Collection[str] | None = None) -> Scores:
    """Accuracy in percent: `overall`, by answer type and by question type; each question's own, 0 to 1.

    predictions: question id -> answer. where: the folder of the official files, or one of them. question_ids: of the
    questions that were asked; None means all that are annotated. Raises BadInput where the files are missing or do not
    fit, or predictions are not one for each question asked.
    """
    file, rows = vqa_v2.annotations(where)
    named = {str(number): row for number, row in rows.items()}
    accuracies: dict[str, float] = {}
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for name in files.select_questions(predictions, named, question_ids, file):
        row = named[name]
        _check(row, file)
        accuracies[name] = accuracy(predictions[name], [human.answer for human in row.answers])
        for group in ("overall", f"answer type {row.answer_type}", f"question type {row.question_type}"):
            groups[group].append(accuracies[name])
    absent = {
        name: "no such question was asked"
        for kind in vqa_v2.ANSWER_TYPES
        if (name := f"answer type {kind}") not in groups
    }
    return Scores(
        figures={name: 100 * fmean(values) for name, values in groups.items()}, per_question=accuracies, absent=absent
    )


def accuracy(prediction: str, answers: Collection[str]) -> float:
    """One prediction against the answers of ten people, 0 to 1.

    >>> accuracy("The 2 dogs.", ["two dogs"] * 3 + ["dogs"] * 7)
    0.9
    """
    human, predicted = [_strip(answer) for answer in answers], _strip(prediction)
    if len(set(human)) > 1:
        human, predicted = [normalize(answer) for answer in human], normalize(predicted)
    same = human.count(predicted)
    with_one_left_out = [same - 1] * same + [same] * (len(human) - same)
    return fmean(min(1.0, agree / 3) for agree in with_one_left_out)


def _strip(answer: str) -> str:
    return answer.replace("\n", " ").replace("\t", " ").strip()


@lru_cache(maxsize=1 << 18)  # many answers are the same
def normalize(answer: str) -> str:
    """The answer as it is compared, where people disagree.

    >>> normalize("None, dont!"), normalize("An apple, 1,000 red-ones."), normalize("3.5 p.m.")
    ("0 don't", 'apple 1000 redones', '3.5 pm')
    """
    words = (NUMBERS.get(word, word) for word in _without_marks(answer).lower().split())
    return " ".join(APOSTROPHES.get(word, word) for word in words if word not in ARTICLES)


def _without_marks(answer: str) -> str:
    grouped = re.search(r"\d,\d", answer) is not None
    text = answer
    for mark in MARKS:
        if mark in answer:
            beside_space = f"{mark} " in answer or f" {mark}" in answer
            text = text.replace(mark, "" if beside_space or grouped else " ")
    return re.sub(r"\.(?!\d)", "", text, count=STOPS)


def _check(row: vqa_v2.Annotation, file: Path) -> None:
    if len(row.answers) != vqa_v2.ANNOTATORS:
        raise BadInput(
            f"{file}: question {row.question_id} has {len(row.answers)} answers; the rule is for those of {vqa_v2.ANNOTATORS} people"
        )
    if row.answer_type not in vqa_v2.ANSWER_TYPES:
        raise BadInput(
            f"{file}: question {row.question_id} has the answer type {row.answer_type!r}; "
            f"VQA v2 has {', '.join(vqa_v2.ANSWER_TYPES)}"
        )
