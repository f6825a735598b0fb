"""Train a standard VLM and one with a perceptual reward, and compare them: `python train_two_systems.py run/ few.yaml`.

The second argument is a recipe: small (38 minutes on two cores), medium, full, llava, or a YAML file of your own.
"""

import sys
from pathlib import Path

from pstgen import train_eval

if __name__ == "__main__":  # worker processes import this file
    out, recipe = sys.argv[1:]
    results = train_eval.from_recipe(recipe, Path(out), systems=("standard", "perceptual_reward"))
    for arm in results.arms:
        print(f"{arm.system:18} {arm.figures['pst/pair']:5.1f} % of pairs, {arm.flops:.2g} training FLOPs")
    print("report:", Path(out) / "report.html")
