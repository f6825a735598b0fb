"""Tiny models of random weights, a folder each, of the architectures people use.

`python tests/tiny_vlms NAME|all FOLDER` writes them; "refused" for those that cannot be used.
"""

import sys
from pathlib import Path

from . import begun, documents, early, gemma, language, latest, llava, qwen, rare, refused, tiled  # noqa: F401 - they enter what they build
from .parts import ARCHITECTURES, loud


def build(name: str, folder: Path) -> Path:
    """Write model and processor into `folder`; always the same weights."""
    import torch

    torch.manual_seed(0)
    model, processor = ARCHITECTURES[name]()
    loud(model).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


REFUSED = {
    "clip": refused.clip,
    "custom_code": refused.custom_code,
    "t5": refused.t5,
    "blip2_t5": refused.blip2_t5,
    "vision-encoder-decoder": refused.vision_encoder_decoder,
    "florence2": lambda folder: build("florence2", folder),
}


def main(arguments):
    from transformers.utils import logging

    logging.disable_progress_bar()
    chosen, out = arguments
    names = {"all": [*ARCHITECTURES], "refused": [*REFUSED]}.get(chosen) or chosen.split(",")
    failed = 0
    for name in names:
        folder = Path(out) / name
        try:
            if name in ARCHITECTURES:
                build(name, folder)
            else:
                REFUSED[name](folder)
            print(name, "ok", f"{parameters(folder):,} parameters", flush=True)
        except Exception as error:  # noqa: BLE001 - one line for each
            failed += 1
            print(name, "failed:", type(error).__name__, " ".join(str(error).split())[:300], flush=True)
    return sys.exit(1 if failed else 0)


def parameters(folder):
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118 - no mapping
    total = 0
    for shape in shapes:
        size = 1
        for side in shape:
            size *= side
        total += size
    return total
