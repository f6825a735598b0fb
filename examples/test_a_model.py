"""Test a model of yours on a stress test: `python test_a_model.py pst/`.

Here the "model" never looks: it gives whatever the words suggest, and so wins no pair.
"""

import io
import sys

from PIL import Image

import pstgen


def answer(image: Image.Image, question: str, options: tuple[str, ...], lure: str) -> str:
    """Ask your model here; it is shown the image, the question and its options."""
    return lure


dataset = pstgen.load(sys.argv[1])
answers = {}
for row in dataset.rows():
    image = Image.open(io.BytesIO(row.image))
    answers[row.item.item_id] = answer(image, row.item.question, row.item.options, row.item.lure)
figures = pstgen.score(dataset, answers).figures
print(f"pairs {figures['pair']:.1f} %, items {figures['item']:.1f} %, lured in {figures['lure_rate']:.1f} %")
