"""A row of COCO's `annotations` → a thing: what is odd about it costs what is odd, and is named."""

import reprlib
from collections.abc import Callable, Iterator

import msgspec
from pycocotools import mask as coco_mask

from pstgen.core.records import Instance, Keypoint, Region
from pstgen.scenes import masks, pixels
from pstgen.scenes.coco_files import Split
from pstgen.scenes.coco_format import Annotation, Picture
from pstgen.scenes.truth import colour

BOX = msgspec.json.Decoder(tuple[float, float, float, float], strict=False)
NUMBERS = msgspec.json.Decoder(list[float], strict=False)
EMPTY = frozenset({b"", b"[]", b"[[]]", b"null"})
OTHER_AREA = 2.0  # a given area that is so many times the mask's, or its reverse, is not that of the mask
OTHER_BOX = 0.5  # IoU with the mask's box, below which a given box is not that of the mask
FARTHEST = 1e5  # metres from the camera
FEW = 50  # pixels: of smaller masks nothing is said

Complain = Callable[[str], None]


def thing(split: Split, picture: Picture, row: Annotation, complain: Complain, *, masked: bool) -> Instance:
    """masked: with its mask; else with box and area alone.

    Where neither box nor mask means anything it becomes a crowd without a mask: something is there, so that absence and
    number are unknown.
    """
    category = split.categories[row.category_id]
    try:
        given = None if bytes(row.bbox) in EMPTY else _region(row.bbox, picture)
        needs_mask = masked or given is None or not row.area
        rle = _seen(row, picture, complain) if needs_mask else b""
        full = _mask(row.full_segmentation, picture) if masked else b""
        region, area = _extent(row, given, rle, picture, complain)
    except ValueError as reason:
        complain(f"{reason}; it was left out")
        whole = Region(x=0, y=0, width=picture.width, height=picture.height)
        return Instance(id=row.id, category=category, region=whole, area=0, crowd=True)
    return Instance(
        id=row.id,
        category=category,
        region=region,
        area=area,
        rle=rle if masked else b"",
        full_rle=full,
        crowd=bool(row.iscrowd),
        keypoints=tuple(_joints(split, row, picture, complain)),
        colour=row.color if row.color in colour.NAMES else "",  # annotation tools keep there what they draw it in
        depth=_depth(row, complain),
        text=row.text,
    )


def _depth(row: Annotation, complain: Complain) -> float | None:
    if row.depth is None or 0 <= row.depth <= FARTHEST:
        return row.depth
    complain(f"has a depth of {row.depth:g} metres; it was left out")
    return None


def _seen(row: Annotation, picture: Picture, complain: Complain) -> bytes:
    """Run-length bytes of what is seen of it; empty where nothing is, which tools write that thin outlines."""
    rle = _mask(row.segmentation, picture)
    if rle and not pixels.area(rle, picture.width, picture.height):
        complain("has a mask without a pixel; only its box was taken")
        return b""
    return rle


def _mask(raw: msgspec.Raw, picture: Picture) -> bytes:
    """Run-length bytes; empty where there is no mask."""
    code = bytes(raw)
    return b"" if code in EMPTY else masks.encode(code, picture.width, picture.height)


def _extent(
    row: Annotation, given: Region | None, rle: bytes, picture: Picture, complain: Complain
) -> tuple[Region, float]:
    """Box and area: those of the mask where there is one and what is given is missing, or far from it."""
    if not rle:
        if given is None:
            raise ValueError("has neither a box nor a mask")
        whole = given.width * given.height
        if row.area and not 0 < row.area <= whole * OTHER_AREA:
            complain(f"has an area of {row.area:g}, and a box of {whole:g} pixels; the box's was taken")
            return given, whole
        return given, row.area or whole
    area = pixels.area(rle, picture.width, picture.height)
    code = {"size": [picture.height, picture.width], "counts": rle}
    x, y, width, height = coco_mask.toBbox(code).tolist()
    of_mask = Region(x=x, y=y, width=width, height=height)
    if area >= FEW and row.area is not None and not area / OTHER_AREA <= row.area <= area * OTHER_AREA:
        complain(f"has an area of {row.area:g}, and a mask of {area:g} pixels; the mask's was taken")
    if area >= FEW and given and _overlap(given, of_mask) < OTHER_BOX:
        complain("has a box that is not that of its mask; the mask's was taken")
        given = None
    return given or of_mask, area


def _overlap(a: Region, b: Region) -> float:
    """Intersection over union of two boxes."""
    across = max(0.0, min(a.right, b.right) - max(a.x, b.x))
    down = max(0.0, min(a.bottom, b.bottom) - max(a.y, b.y))
    return across * down / (a.width * a.height + b.width * b.height - across * down)


def _region(bbox: msgspec.Raw, picture: Picture) -> Region:
    try:
        x, y, width, height = BOX.decode(bbox)
    except (msgspec.ValidationError, msgspec.DecodeError):
        shown = reprlib.repr(bytes(bbox).decode(errors="replace"))[1:-1]
        raise ValueError(f"has the box {shown}; a box is four numbers") from None
    if width <= 0 or height <= 0:
        raise ValueError(f"has a box of {width} by {height} pixels")
    sides = ((x, x + width, picture.width), (y, y + height, picture.height))
    if not all(masks.is_near(low, side) and masks.is_near(high, side) for low, high, side in sides):
        raise ValueError(f"has the box {x:g}, {y:g}, {width:g}, {height:g}, far outside the image")
    return Region(x=x, y=y, width=width, height=height)


def _joints(split: Split, row: Annotation, picture: Picture, complain: Complain) -> Iterator[Keypoint]:
    """The joints, from the keypoints file or the annotation itself; none where none is labelled, or they do not fit."""
    poses = split.poses.of(row.id) if split.poses else []
    raw = bytes(poses[0].keypoints if poses else row.keypoints)
    if raw in EMPTY:
        return
    names = split.joints.get(row.category_id, [])
    try:
        numbers = NUMBERS.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return complain("has keypoints that are not numbers; they were left out")
    if len(numbers) != 3 * len(names):
        need = f"{len(names)} joints need {3 * len(names)}" if names else "its category names no joints"
        return complain(f"has {len(numbers)} keypoint numbers; {need}; they were left out")
    if not {0, 1, 2}.issuperset(numbers[2::3]):
        return complain("has a keypoint whose visibility is not 0, 1 or 2; they were left out")
    sides = ((numbers[0::3], picture.width), (numbers[1::3], picture.height))
    if not all(masks.are_near(places, side) for places, side in sides):
        return complain("has a keypoint far outside the image; they were left out")
    if any(numbers[2::3]):
        yield from map(Keypoint, names, numbers[0::3], numbers[1::3], map(int, numbers[2::3]))
