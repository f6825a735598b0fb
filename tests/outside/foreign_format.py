"""Cups: a text file, a picture's name and a box a line."""

from pathlib import Path

from PIL import Image

from pstgen.scenes.formats import Annotated


def recognizes(path, /):
    return path.suffix == ".cups"


def read(path, _split, images, /):
    folder = images or path.parent
    found = Annotated([], [], [{"id": 1, "name": "cup"}], Path(folder), [])
    for place, line in enumerate(path.read_text().splitlines()):
        name, *box = line.split()
        width, height = Image.open(folder / name).size
        found.images.append({"id": place, "file_name": name, "width": width, "height": height})
        found.annotations.append({"id": place, "image_id": place, "category_id": 1, "bbox": list(map(float, box))})
    return found
