"""Items and rows made by hand: a pair is one question, a red image and a blue one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pstgen.core.records import Item, Target
from pstgen.dataset.rows import Row

SIDE = 32


def _item(name, pair="p", role="stress", answer="red", **more):
    fields = {
        "scene_id": f"world/{name}",
        "image": "",
        "family": "colour",
        "form": "of",
        "about": ("cup",),
        "frame": "leading",
        "question": "The cup is blue, isn't it? What colour is it?",
        "neutral": "What colour is the cup?",
        "options": ("red", "blue", "green"),
        "lure": "blue",
    }
    return Item(item_id=name, pair_id=pair, role=role, answer=answer, **fields | more)


def _pairs(number, **more):
    """Stress twin (red), control twin (blue) of as many pairs, in the order of their ids."""
    return [
        _item(f"{n:03}-{role}", f"p{n}", role, answer, **more)
        for n in range(number)
        for role, answer in (("control", "blue"), ("stress", "red"))
    ]


def _painted(item, scene, thing, *, at=(8, 8), side=8, evidence=True):
    """Its row: grey noise, and a square of the answer's colour at (x, y), whose mask is the evidence."""
    noise = np.random.default_rng(list(item.item_id.encode())).integers(96, 160, (SIDE, SIDE, 1))
    image = noise.repeat(3, 2).astype(np.uint8)
    colour = {"red": (220, 20, 20), "blue": (20, 20, 220)}[item.answer]
    image[at[1] : at[1] + side, at[0] : at[0] + side] = colour
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[at[1] : at[1] + side, at[0] : at[0] + side] = 255
    there = thing("cup", *at, side, side, id=1, within=(SIDE, SIDE), colour=item.answer)
    return Row(
        item=replace(item, evidence=(1,) if evidence else ()),
        scene=scene(there, id=item.scene_id, width=SIDE, height=SIDE),
        image=cv2.imencode(".png", image[:, :, ::-1])[1].tobytes(),
        suffix=".png",
        targets=(Target(kind="mask", pixels=mask),) if evidence else (),
    )


@pytest.fixture(scope="session")
def item():
    """One item."""
    return _item


@pytest.fixture(scope="session")
def pairs():
    """The items of some pairs."""
    return _pairs


@pytest.fixture(scope="session")
def painted(scene, thing):
    """An item → its row."""
    return lambda item, **where: _painted(item, scene, thing, **where)
