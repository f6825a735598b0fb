"""What tools say of an image, as text for a prompt: things that the recipe's own detector finds, with their colours."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from pstgen.perception import Perception, tokens
from pstgen.truth.colour import NAMES as COLOURS
from pstgen.truth.words import plural, spoken

HEADS = "heads.safetensors"
BATCH = 64


class Detector:
    """Stage 1's encoder with its dense heads: a thing where a patch is the centre of one."""

    def __init__(self, folder: Path) -> None:
        import transformers
        from safetensors import safe_open
        from safetensors.torch import load_file

        with safe_open(folder / HEADS, "pt") as file:
            told = msgspec.json.decode(file.metadata()["told"], type=dict[str, Any])
        self.categories, self.cells, self.size = told["categories"], told["cells"], told["size"]
        self.model = transformers.AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
        self.heads = Perception(told["width"], told["sizes"]).eval()
        self.heads.load_state_dict(load_file(folder / HEADS))

    def told(self, images: Sequence[NDArray[np.uint8] | None]) -> list[str]:
        """Of (H, W, 3) uint8 images, such as "Seen: 2 dogs, 1 red car."; nothing of no image."""
        said: list[str] = []
        for start in range(0, len(images), BATCH):
            some = [image for image in images[start : start + BATCH] if image is not None]
            found = iter(self._found(some) if some else ())
            said += ["" if image is None else next(found) for image in images[start : start + BATCH]]
        return said

    def _found(self, images: Sequence[NDArray[np.uint8]]) -> list[str]:
        sized = [cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA) for image in images]
        pixels = torch.from_numpy(np.stack(sized).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
        with torch.inference_mode():
            seen = tokens(self.model(pixel_values=pixels).last_hidden_state, self.cells)
            parts = self.heads.segmentation(seen)
        kinds, colours, centres = (part.argmax(-1).numpy() for part in parts[:3])
        return [self._said(*each) for each in zip(kinds, colours, centres, strict=True)]

    def _said(self, kinds: NDArray[np.int64], colours: NDArray[np.int64], centres: NDArray[np.int64]) -> str:
        """Count centres of each category; its colour is the commonest of its patches."""
        counted = Counter(int(kind) for kind in centres if kind)
        things = []
        for kind, n in sorted(counted.items()):
            shades = Counter(int(shade) for shade in colours[kinds == kind] if shade)
            colour = f"{COLOURS[shades.most_common(1)[0][0] - 1]} " if shades else ""
            noun = spoken(self.categories[kind - 1])
            things.append(f"{n} {colour}{noun if n == 1 else plural(noun)}")
        return f"Seen: {', '.join(things)}." if things else "Seen: nothing."
