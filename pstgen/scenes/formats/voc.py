"""Pascal VOC: an XML file a picture. Source: the VOC development kit (Everingham et al. 2010); LabelImg and Roboflow write it too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse
from pycocotools import mask as coco_mask

from pstgen.core import reading
from pstgen.core.records import BadInput
from pstgen.scenes import pixels
from pstgen.scenes.formats import Annotated, Row, find_picture

PICTURES = ("JPEGImages", "images", "Images", ".")  # folders of them, beside Annotations
BORDER = 255  # in SegmentationObject: belongs to nothing


def recognizes(path: Path) -> bool:
    """A folder with XML files, or with Annotations/; or a list of names in its ImageSets/."""
    if path.suffix == ".txt":
        return "ImageSets" in path.parts
    return path.is_dir() and any(next(folder.glob("*.xml"), None) for folder in (path, path / "Annotations"))


def read(path: Path, split: str, images: Path | None) -> Annotated:
    """Every file, or those of the split that ImageSets/Main lists."""
    root = path if path.is_dir() else path.parents[path.parts[::-1].index("ImageSets")]
    annotations = root / "Annotations" if (root / "Annotations").is_dir() else root
    listed = path if path.is_file() else root / "ImageSets" / "Main" / f"{split}.txt"
    stems = _names(listed) if listed.is_file() else sorted(file.stem for file in annotations.glob("*.xml"))
    folders = [images.absolute()] if images else [root.absolute() / name for name in PICTURES]
    found = Annotated([], [], [], images.absolute() if images else root.absolute(), [])
    for stem in stems:
        try:
            _add(found, annotations / f"{stem}.xml", folders)
        except (OSError, ParseError, ValueError, OverflowError, LookupError, DefusedXmlException) as error:
            found.faults.append((f"{stem}.xml", f"is no annotation of Pascal VOC: {error}"))
    names = sorted({row["category_id"] for row in found.annotations})
    return found._replace(categories=[{"id": name, "name": name} for name in names])


def _names(file: Path) -> list[str]:
    """The first word of each line."""
    try:
        return [line.split()[0] for line in reading.text(file).splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise BadInput(f"{file}: not a list of names: it is not UTF-8") from None


def _add(found: Annotated, file: Path, folders: list[Path]) -> None:
    with reading.opened(file) as opened:
        root = parse(opened).getroot()
    width, height = (int(_number(root, f"size/{side}", 0)) for side in ("width", "height"))
    picture = find_picture(folders, file.stem) or find_picture(folders, Path(root.findtext("filename") or "").stem)
    name = str(picture.relative_to(found.pictures)) if picture else root.findtext("filename")
    found.images.append({"id": file.stem, "file_name": name, "width": width, "height": height})
    outlines = _outlines(file.parent.parent / "SegmentationObject" / f"{file.stem}.png", (width, height))
    for place, thing in enumerate(root.iterfind("object"), 1):
        found.annotations.append(
            {
                "id": f"{file.stem}:{place}",
                "image_id": file.stem,
                "category_id": (thing.findtext("name") or "").strip(),
                "bbox": _box(thing),
                "segmentation": outlines.get(place),
                "iscrowd": int(_number(thing, "difficult", 0)),  # its presence, not more, is known
            }
        )


def _box(thing: Element) -> list[float] | None:
    """Pixels are counted from 1, and the last one belongs to the box."""
    left, top, right, bottom = (_number(thing, f"bndbox/{side}", -1) for side in ("xmin", "ymin", "xmax", "ymax"))
    return [left - 1, top - 1, right - left + 1, bottom - top + 1] if right >= left and bottom >= top else None


def _number(element: Element, path: str, otherwise: float) -> float:
    return float(element.findtext(path) or otherwise)


def _outlines(file: Path, size: tuple[int, int]) -> dict[int, Row]:
    """The masks of the objects by their place, where the picture is segmented. size: (W, H) of the picture."""
    if not file.is_file():
        return {}
    with pixels.opened(str(file)) as opened:
        if opened.mode not in {"P", "L"} or opened.size != size:
            raise ValueError(f"{file.name} is not 8 bits a pixel, or not of the picture's size")
        return dict(_masks(np.asfortranarray(np.asarray(opened))))


def _masks(numbers: Any) -> Iterator[tuple[int, Row]]:
    for place in set(np.unique(numbers).tolist()) - {0, BORDER}:
        code = coco_mask.encode((numbers == place).view(np.uint8))
        yield place, {"size": code["size"], "counts": code["counts"].decode()}
