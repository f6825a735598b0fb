"""GQA's metrics by their official rules, which means by those of its published tool, quirks included.

- Accuracy is over the balanced questions; an answer is right where it is the very same string, capitals included.
- Consistency: of each balanced question that is answered rightly, the share of the questions it entails that are
  answered rightly too, balanced or not; then the mean over such questions, so that one which entails twenty counts as
  much as one which entails one. The tool wants all the questions that are entailed; where only some of them were asked,
  as of a subset, those count, and a question none of whose entailed ones was asked does not.
- Validity and plausibility: is the answer one of the question's choices? Of questions what two things have in common
  ("Common" in their detailed type), the choices are always color, material and shape.
- Distribution, not in percent and the lower the better: chi-square between right answers and given ones within each
  global group, weighted by the group's size, by 100. Answers that are right nowhere in the group do not count in it, nor
  do questions without a group.
- Grounding: attention on the boxes of the objects that words of the question and of the full answer mean; a thing that
  both mention counts twice, so it can exceed 100, and a question that means no object has 0. The tool also means to add
  the whole image where a question is about the scene, but looks for that among the names of a step's fields: never.
- Steps: operations of the program, but for what holds "exist", "query: name" or "choose name".

The tool rounds to two decimals and says 0 where there is nothing to average; this says that it is absent, and why.
Source: gqadataset.org, evaluate.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pstgen.core.records import BadInput
from pstgen.evaluation.metrics import Evaluation, Headline, Scores
from pstgen.questions.benchmarks import files, gqa
from pstgen.questions.benchmarks.gqa import Choices, Question, SceneGraph

HEADLINES = (Headline("accuracy", "GQA", place=20, compared="question"),)
COMMON = ("color", "material", "shape")
UNCOUNTED = ("exist", "query: name", "choose name")


def measure(evaluation: Evaluation, /) -> Scores:
    """The figures of `score`, on the questions that were asked."""
    answers, where = evaluation.answers.gqa, evaluation.benchmarks.get("gqa")
    if where is None:
        return Scores(figures={}, absent={"overall": "no files of GQA were given"})
    return score(answers, where, set(answers))


def score(
    predictions: Mapping[str, str],
    where: Path,
    /,
    question_ids: Collection[str] | None = None,
    attention: Mapping[str, ArrayLike] | None = None,
) -> Scores:
    """All of GQA's figures that its files allow, in percent but for `distribution`; right or wrong of each question.

    predictions: question id -> answer. where: the questions' file, or the folder that holds it; choices and scene graphs
    are read beside it. question_ids: of the questions that were asked; None means all of them. attention: question id ->
    (rows, columns) shares over the image, from its top left (the tool's own file has columns first). Raises BadInput
    where the files do not fit, or predictions are not one for each question asked.
    """
    file, known = gqa.questions(where)
    rows = {name: known[name] for name in files.select_questions(predictions, known, question_ids, file)}
    for name, row in rows.items():
        _check(name, row, file)
    right = {name: predictions[name] == row.answer for name, row in rows.items()}
    balanced = {name: row for name, row in rows.items() if row.is_balanced}
    figures = {
        **_accuracies(balanced, right),
        "consistency": _consistency(balanced, right),
        **_allowed(predictions, balanced, gqa.choices(file), file),
        "distribution": _distribution(predictions, balanced),
        "grounding": _grounding(balanced, attention, gqa.scene_graphs(file) if attention is not None else None, file),
    }
    return Scores(
        figures={name: value for name, value in figures.items() if not isinstance(value, str)},
        per_question={name: float(right[name]) for name in balanced},
        absent={name: value for name, value in figures.items() if isinstance(value, str)},
    )


def _mean(shares: Collection[float], missing: str) -> float | str:
    """Their mean in percent; where there are none, why."""
    return 100 * fmean(shares) if shares else missing


def _accuracies(rows: Mapping[str, Question], right: Mapping[str, bool]) -> dict[str, float | str]:
    groups: dict[str, list[float]] = {"accuracy": [], "binary": [], "open": []}
    for name, row in rows.items():
        for group in (
            "accuracy",
            "open" if row.types.structural == "query" else "binary",
            f"structural type {row.types.structural}",
            f"semantic type {row.types.semantic}",
            f"steps {_steps(row)}",
            f"words {len(row.question.split())}",
        ):
            groups.setdefault(group, []).append(right[name])
    return {group: _mean(shares, "no such question was asked") for group, shares in groups.items()}


def _steps(row: Question) -> int:
    operations = (f"{step.operation}: {step.argument}" for step in row.semantic)
    return sum(not any(part in operation for part in UNCOUNTED) for operation in operations)


def _consistency(rows: Mapping[str, Question], right: Mapping[str, bool]) -> float | str:
    shares = []
    for name, row in rows.items():
        entailed = [right[other] for other in row.entailed if other != name and other in right]
        if right[name] and entailed:
            shares.append(fmean(entailed))
    return _mean(shares, "no question was answered rightly that entails another one which was asked")


def _allowed(
    predictions: Mapping[str, str], rows: Mapping[str, Question], choices: Mapping[str, Choices] | None, file: Path
) -> dict[str, float | str]:
    kinds = ("validity", "plausibility")
    if choices is None:
        return dict.fromkeys(kinds, f"there is no file of choices beside {file.name}")
    lacking = [name for name in rows if name not in choices]
    if lacking:
        raise BadInput(f"{file}: question {lacking[0]} has no choices ({len(lacking):,} such); take the same split's")

    def allowed(name: str, answers: list[str]) -> bool:
        return predictions[name] in (COMMON if "Common" in rows[name].types.detailed else answers)

    shares = [(allowed(name, choices[name].valid), allowed(name, choices[name].plausible)) for name in rows]
    return {kind: _mean([pair[n] for pair in shares], "no balanced question was asked") for n, kind in enumerate(kinds)}


def _distribution(predictions: Mapping[str, str], rows: Mapping[str, Question]) -> float | str:
    true, given = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
    for name, row in rows.items():
        if row.groups.all is not None:
            true[row.groups.all][str(row.answer)] += 1
            given[row.groups.all][predictions[name]] += 1
    if not true:
        return "no question asked is in a group of answers"
    chi_square = {
        group: sum((given[group][answer] - times) ** 2 / times for answer, times in answers.items())
        for group, answers in true.items()
    }
    sizes = {group: answers.total() for group, answers in true.items()}
    return sum(chi_square[group] * size for group, size in sizes.items()) / sum(sizes.values()) / 100


def _grounding(
    rows: Mapping[str, Question],
    attention: Mapping[str, ArrayLike] | None,
    graphs: Mapping[str, SceneGraph] | None,
    file: Path,
) -> float | str:
    if attention is None:
        return "no attention was given"
    if graphs is None:
        return f"there are no scene graphs beside {file.name}"
    shares = []
    for name, row in rows.items():
        if name not in attention or row.image_id not in graphs:
            lacks = "attention" if name not in attention else f"scene graph of image {row.image_id}"
            raise BadInput(f"{file}: question {name} has no {lacks}; give it for every balanced question, or for none")
        heat, graph = np.asarray(attention[name], np.float64), graphs[row.image_id]
        objects = (*row.annotations.question.values(), *row.annotations.full_answer.values())
        shares.append(sum(float((heat * _cover(graph, object_id, heat.shape)).sum()) for object_id in objects))
    return _mean(shares, "no balanced question was asked")


def _cover(graph: SceneGraph, object_id: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(rows, columns) share of each cell that the object's box covers."""
    if object_id not in graph.objects:
        raise BadInput(f"scene graphs: a question means object {object_id}, which is none of its image's")
    box = graph.objects[object_id]

    def along(low: float, high: float, cells: int) -> NDArray[np.float64]:
        edges = np.arange(cells + 1) / cells
        shared: NDArray[np.float64] = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        return shared.clip(0) * cells

    down = along(box.y / graph.height, (box.y + box.h) / graph.height, shape[0])
    across = along(box.x / graph.width, (box.x + box.w) / graph.width, shape[1])
    return down[:, None] * across


def _check(name: str, row: Question, file: Path) -> None:
    if row.answer is None:
        raise BadInput(
            f"{file}: question {name} has no answer; splits without answers are measured by GQA's own server"
        )
    for kind, value, values in (
        ("structural", row.types.structural, gqa.STRUCTURAL),
        ("semantic", row.types.semantic, gqa.SEMANTIC),
    ):
        if value not in values:
            raise BadInput(f"{file}: question {name} has the {kind} type {value!r}; GQA has {', '.join(values)}")
