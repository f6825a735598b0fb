"""What stage 1 is worth, and how many masks are needed: perceptual reward at several lengths, and with fewer labels.

    python benchmarks/stage1.py --out runs/stage1                              # eleven trainings, for hours
    python benchmarks/stage1.py --out runs/stage1 --lengths "" --labels 1,0.1  # two of them

Trainings of one length cost the same FLOPs: what stage 1 does not get, stage 2 gets. All learn from the same scenes and are examined by the same
stress test. What is done already is not done again.
"""

from itertools import product
from pathlib import Path

import msgspec
import tables

from pstgen import train_eval
from pstgen.core.progress import silent
from pstgen.evaluation import arms, data
from pstgen.training import recipe as recipes

SYSTEM = "perceptual_reward"


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part]


def ratio(recipe: recipes.Recipe, paths: data.DataPaths, out: Path) -> float:
    """FLOPs of a step of stage 1, by those of a step of stage 2."""
    (arm,) = arms.plan_arms(recipe, paths, out)
    encoder, joint = (arms.estimate_task(task).step_flops for task in (arm.encoder, arm.joint) if task)
    return encoder / joint


def trained(recipe: recipes.Recipe, paths: data.DataPaths, out: Path, **changes: float) -> list[str]:
    """The row of a training."""
    recipe = msgspec.structs.replace(recipe, **changes)
    train_eval.begin(recipe, paths, out, resume=True)
    results = train_eval.run(recipe, out, paths, "python benchmarks/stage1.py", silent)
    (arm,) = results.arms
    _, low, high = results.intervals[SYSTEM]["pst/pair"]
    steps = f"{arm.steps['encoder']:,}", f"{arm.steps['joint']:,}", f"{recipe.labelled:.0%}", f"{arm.flops:.3g}"
    families = (f"{name} {arm.figures[f'pst/pair/{name}']:.1f}" for name in recipe.families)
    row = [*steps, f"{arm.figures['pst/pair']:.1f} [{low:.1f}, {high:.1f}]", ", ".join(families)]
    print(" | ".join(row), flush=True)
    return row


def main() -> None:
    parser = tables.parser(__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--recipe", default="small", help="that is changed; its seed and families stay")
    parser.add_argument("--lengths", default="900,3600", help="steps of stage 2 beside the longest stage 1")
    parser.add_argument("--stage1", default="0,350,700,1400", help="steps of stage 1")
    parser.add_argument(
        "--labels", default="0.3,0.1,0.03", help="shares of the scenes that have targets, with the recipe's own lengths"
    )
    given = parser.parse_args()
    recipe, paths = recipes.read(given.recipe, systems=(SYSTEM,), evaluations=("pst",)), data.paths(given.out)
    train_eval.prepare_data(recipe, paths, given.out, silent)
    step = ratio(recipe, paths, given.out)
    longest, rows = max(numbers(given.stage1), default=0), []
    for length, first in product(numbers(given.lengths), numbers(given.stage1)):
        joint = round(length + step * (longest - first))
        name = f"{first:g}-{joint}"
        rows.append(trained(recipe, paths, given.out / name, encoder_steps=int(first), joint_steps=joint))
    rows += (
        trained(recipe, paths, given.out / f"labelled-{share:g}", labelled=share) for share in numbers(given.labels)
    )
    head = ["stage 1, steps", "stage 2, steps", "labelled", "FLOPs", "pairs, %", "by family"]
    tables.show("stage1", "\n".join([tables.table(head, rows, left=0), "", tables.load()]), given.write)


if __name__ == "__main__":  # worker processes import this file
    main()
