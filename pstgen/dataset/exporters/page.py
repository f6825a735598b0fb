"""pairs.html: pairs as a page, targets over the images at a touch, the chain and what every judge said."""

import base64
import html
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pstgen.dataset.sampling import Pair, pick
from pstgen.dataset.store import Dataset, Row, Score

PAIRS = 24
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #8884; padding: 1.5rem 0; }
h2 { font-size: 1.2rem; margin: 0 0 .3rem; }
.note, .chain, td, th { color: #777; font-size: .85rem; }
.twins { display: flex; flex-wrap: wrap; gap: 1rem; margin: .8rem 0; }
figure { margin: 0; flex: 1 1 18rem; max-width: 26rem; }
.look { position: relative; display: block; }
.look img { width: 100%; display: block; border-radius: 6px; image-rendering: auto; }
.look img + img { position: absolute; inset: 0; opacity: .55; transition: opacity .15s; }
.look:hover img + img, .look:focus img + img { opacity: 0; }
.stress { color: #bc2c24; } .control { color: #167a3e; }
table { border-collapse: collapse; } td, th { padding: .1rem .8rem .1rem 0; text-align: left; font-weight: normal; }
"""


def write(dataset: Dataset, folder: Path, /) -> None:
    """Some pairs of every family."""
    (folder / "pairs.html").write_text(page(pick(dataset, PAIRS), dataset.scores()), encoding="utf-8")


def page(pairs: Sequence[Pair], said: Iterable[Score]) -> str:
    """One self-contained page: no script, nothing loaded from elsewhere."""
    wanted = {pair[0].item.pair_id for pair in pairs}
    scores: defaultdict[str, list[Score]] = defaultdict(list)
    for score in said:
        if score.kept and score.pair_id in wanted:
            scores[score.pair_id].append(score)
    body = "\n".join(_article(pair, scores[pair[0].item.pair_id]) for pair in pairs)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Perception Stress Test: {len(pairs)} pairs</title><style>{STYLE}</style>\n<body>"
        "<h1>Perception Stress Test</h1><p>Each question is asked over every picture of its row. "
        "What shows the answer is tinted; point at a picture to see it plain.</p>"
        f"{body}</body></html>\n"
    )


def _article(pair: Pair, said: Sequence[Score]) -> str:
    item = pair[0].item
    told = f"{item.family}, {item.frame}, {item.twin} · {' / '.join(item.options)} · the words suggest {item.lure}"
    plain = "" if item.neutral == item.question else f'<p class="note">asked plainly: {html.escape(item.neutral)}</p>'
    twins = "\n".join(_figure(row) for row in pair)
    return (
        f'<article id="{item.pair_id}"><h2>{html.escape(item.question)}</h2><p class="note">{html.escape(told)}</p>{plain}'
        f'<div class="twins">{twins}</div>{_judges(pair, said)}<p class="note">{item.pair_id}</p></article>'
    )


def _figure(row: Row) -> str:
    item = row.item
    kind = "png" if row.suffix == ".png" else "jpeg"
    alt = html.escape(f"{item.role} twin, scene {item.scene_id}")
    image = f'<img alt="{alt}" src="data:image/{kind};base64,{base64.b64encode(row.image).decode()}">'
    cover = overlay(row)
    if cover is not None:
        image += f'<img alt="" src="data:image/png;base64,{base64.b64encode(cover).decode()}">'
    return (
        f'<figure><a class="look" tabindex="0">{image}</a><figcaption><strong class="{item.role}">{html.escape(item.answer)}'
        f'</strong> <span class="note">{item.role}</span><div class="chain">{html.escape(row.chain)}</div></figcaption></figure>'
    )


def overlay(row: Row) -> bytes | None:
    """The targets as one transparent PNG: mask yellow, keypoints magenta; None for an absence."""
    pixels = {target.kind: target.pixels for target in row.targets}
    if "mask" not in pixels:
        return None
    heat: NDArray[np.float64] = (
        np.asarray(pixels.get("keypoints", np.zeros_like(pixels["mask"])), dtype=np.float64)[..., None] / 255
    )
    tint = np.array([0, 214, 255]) * (1 - heat) + np.array([220, 0, 255]) * heat  # BGR
    alpha = np.maximum(pixels["mask"][..., None] * 0.6, heat * 255)
    done, code = cv2.imencode(".png", np.concatenate([tint, alpha], axis=2).astype(np.uint8))
    return code.tobytes() if done else None


def _judges(pair: Pair, said: Sequence[Score]) -> str:
    order = {row.item.item_id: n for n, row in enumerate(pair)}
    by_judge: defaultdict[str, list[str]] = defaultdict(list)
    for score in sorted(said, key=lambda score: (score.judge, order.get(score.item_id, -1))):
        by_judge[score.judge].append(score.choice)
    rows = "".join(
        f"<tr><th>{html.escape(judge)}</th><td>{html.escape(', '.join(c))}</td></tr>" for judge, c in by_judge.items()
    )
    return f"<table>{rows}</table>"
