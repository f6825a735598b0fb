"""Writes the files beside it: what the own code of annotation tools makes of the same drawn scenes, and what layouts.py does.

Run it where pstgen and the packages of TOOLS are installed: python tests/files/tools/make.py
"""

import json
import os
import re
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from pstgen.core.config import WorldConfig
from pstgen.scenes.world import files

HERE = Path(__file__).parent
WORLD = WorldConfig(n=24, size=100, seed=36, typicality=0.5)
PICTURES = "images"  # folder of the pictures, while tools read them
FINE = 4  # an outline is traced on a mask so many times as large
SLACK = 0.75  # pixels that an outline may leave the mask's
CORNERS = 3  # of a tiny mask whose outline has fewer, the box stands for it
INDEX = re.compile(r"\d{12}")  # in the name of a picture: which scene it is


def number(name):
    """The place of a scene in the world, by the name that a tool gives its picture."""
    return int(INDEX.search(Path(name.replace("\\", "/")).name)[0])


def draw(folder):
    """The world in `folder`; returns its instances as COCO's own file has them: image ids from 1, outlines as polygons."""
    files.write(WORLD, folder)
    (folder / "world").rename(folder / PICTURES)
    drawn = json.loads((folder / "annotations" / "instances_world.json").read_text())
    images = [
        {"id": row["id"] + 1} | {key: row[key] for key in ("file_name", "width", "height")} for row in drawn["images"]
    ]
    annotations = [
        {"id": n, "image_id": row["image_id"] + 1, "iscrowd": 0, "segmentation": outlines(row)}
        | {key: row[key] for key in ("category_id", "bbox", "area")}
        for n, row in enumerate(drawn["annotations"], 1)
    ]
    categories = [row | {"supercategory": "thing"} for row in drawn["categories"]]
    return {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": categories}


def outlines(row):
    """Of the parts of a mask, the largest first, from corner to corner of its pixels: x, y, x, y, …"""
    import cv2

    mask = np.kron(coco_mask.decode(row["segmentation"]), np.ones((FINE, FINE), np.uint8))
    parts, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    lines = [cv2.approxPolyDP(part, SLACK * FINE, closed=True) for part in sorted(parts, key=cv2.contourArea)[::-1]]
    if kept := [[round((n + 0.5) / FINE) for n in line.flatten().tolist()] for line in lines if len(line) >= CORNERS]:
        return kept
    x, y, width, height = row["bbox"]
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def points(row):
    """The corners of its largest part."""
    return list(zip(row["segmentation"][0][0::2], row["segmentation"][0][1::2], strict=True))


def box(row):
    """Of its largest part: x, y, width, height."""
    x, y = zip(*points(row), strict=True)
    return [min(x), min(y), max(x) - min(x), max(y) - min(y)]


def code(row, image):
    """The mask of outlines as a compressed run-length code, its counts as text."""
    rle = coco_mask.merge(coco_mask.frPyObjects(row["segmentation"], image["height"], image["width"]))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def things(source):
    """(image, its annotations), of every image."""
    for image in source["images"]:
        yield image, [row for row in source["annotations"] if row["image_id"] == image["id"]]


def names(source):
    return {row["id"]: row["name"] for row in source["categories"]}


def plain(value):
    """Numbers and arrays of NumPy as JSON has them."""
    return value.tolist()


# ------------------------------------------------------------------------------------- what tools write with their own code


def by_supervision(_):
    import supervision

    data = supervision.DetectionDataset.from_coco(PICTURES, "source.json", force_masks=True)
    data.as_coco(annotations_path="annotations.json")
    return Path("annotations.json")


def by_datumaro(_):
    import datumaro

    Path("in/annotations").mkdir(parents=True)
    shutil.copytree(PICTURES, "in/images/default")
    shutil.copy("source.json", "in/annotations/instances_default.json")
    datumaro.Dataset.import_from("in", "coco_instances").export("out", "coco_instances", save_media=True)
    (written,) = Path("out/annotations").glob("*.json")
    return written


def by_fiftyone(_):
    from fiftyone.utils.coco import COCODetectionDatasetExporter, COCODetectionDatasetImporter

    told = {"data_path": str(Path(PICTURES).absolute()), "labels_path": str(Path("source.json").absolute())}
    with (
        COCODetectionDatasetImporter(**told, label_types="segmentations") as samples,
        COCODetectionDatasetExporter("out") as out,
    ):
        for path, metadata, label in samples:
            out.export_sample(path, label, metadata=metadata)
    return Path("out/labels.json")


def by_sahi(source):
    from sahi.utils.coco import Coco, CocoAnnotation, CocoCategory, CocoImage
    from sahi.utils.file import save_json

    coco, kinds = Coco(), names(source)
    for number, name in kinds.items():
        coco.add_category(CocoCategory(id=number, name=name))
    for image, rows in things(source):
        taken = CocoImage(file_name=image["file_name"], height=image["height"], width=image["width"])
        for row in rows:
            about = {"category_id": row["category_id"], "category_name": kinds[row["category_id"]]}
            taken.add_annotation(CocoAnnotation(segmentation=row["segmentation"], **about))
        coco.add_image(taken)
    save_json(coco.json, "coco.json")
    return Path("coco.json")


def by_labelme2coco(source):
    import labelme2coco

    shutil.copytree(PICTURES, "labelme")
    for image, rows in things(source):
        shapes = [
            {
                "label": names(source)[row["category_id"]],
                "points": points(row),
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for row in rows
        ]
        size = {"imageHeight": image["height"], "imageWidth": image["width"]}
        told = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": image["file_name"], "imageData": None}
        Path("labelme", image["file_name"]).with_suffix(".json").write_text(json.dumps(told | size))
    labelme2coco.convert("labelme", "labelme")
    return Path("labelme/dataset.json")


def by_globox(_):
    from globox import AnnotationSet

    AnnotationSet.from_coco("source.json").save_coco("coco.json", auto_ids=True)
    return Path("coco.json")


def by_label_studio(source):
    from label_studio_sdk.converter import Converter

    labels = "".join(f'<Label value="{name}"/>' for name in names(source).values())
    config = f'<View><Image name="image" value="$image"/><PolygonLabels name="label" toName="image">{labels}</PolygonLabels></View>'
    tasks = []
    for image, rows in things(source):
        size = {"original_width": image["width"], "original_height": image["height"]}
        percent = 100 / np.array([image["width"], image["height"]])
        results = [
            {
                "id": f"r{row['id']}",
                "type": "polygonlabels",
                "from_name": "label",
                "to_name": "image",
                "value": {
                    "points": (np.array(points(row)) * percent).tolist(),
                    "polygonlabels": [names(source)[row["category_id"]]],
                },
                **size,
            }
            for row in rows
        ]
        picture = f"/data/upload/1/{image['id']:08x}-{image['file_name']}"
        shutil.copy(Path(PICTURES, image["file_name"]), Path(Path(picture).name))
        tasks.append({"id": image["id"], "data": {"image": picture}, "annotations": [{"id": 1, "result": results}]})
    Path("uploads/1").mkdir(parents=True)
    for path in Path().glob("*.png"):
        path.rename(Path("uploads/1", path.name))
    Path("tasks.json").write_text(json.dumps(tasks))
    Converter(config, project_dir=None, upload_dir="uploads").convert(
        "tasks.json", "out", "COCO_WITH_IMAGES", is_dir=False
    )
    return Path("out/result.json")


def by_pylabel(_):
    from pylabel import importer

    importer.ImportCoco("source.json", path_to_images=PICTURES).export.ExportToCoco("dataset.json")
    return Path("dataset.json")


def by_pycocotools(source):
    """As its results, which are run-length codes, and take the given images and categories."""
    from pycocotools.coco import COCO

    images = {image["id"]: image for image in source["images"]}
    results = [
        {key: row[key] for key in ("image_id", "category_id")}
        | {"score": 1.0, "segmentation": code(row, images[row["image_id"]])}
        for row in source["annotations"]
    ]
    Path("coco.json").write_text(json.dumps(COCO("source.json").loadRes(results).dataset, default=plain))
    return Path("coco.json")


def by_lvis(source):
    """As its results, for a file in LVIS's layout: no file names, and what is not there is named."""
    from lvis import LVIS, LVISResults

    images = {image["id"]: image for image in source["images"]}
    shown = {image["id"]: {row["category_id"] for row in rows} for image, rows in things(source)}
    every = set(names(source))
    told = source | {
        "images": [
            {key: image[key] for key in ("id", "width", "height")}
            | {"coco_url": f"http://images.cocodataset.org/val2017/{image['file_name']}", "license": 1}
            | {"neg_category_ids": sorted(every - shown[image["id"]]), "not_exhaustive_category_ids": []}
            for image in source["images"]
        ],
        "categories": [row | {"synset": f"{row['name']}.n.01", "frequency": "f"} for row in source["categories"]],
    }
    Path("lvis.json").write_text(json.dumps(told))
    results = [
        {key: row[key] for key in ("image_id", "category_id")}
        | {"score": 1.0, "segmentation": code(row, images[row["image_id"]])}
        for row in source["annotations"]
    ]
    Path("out.json").write_text(json.dumps(LVISResults(LVIS("lvis.json"), results).dataset, default=plain))
    return Path("out.json")


def by_kwcoco(source):
    import kwcoco

    data = kwcoco.CocoDataset()
    for name in names(source).values():
        data.ensure_category(name)
    for image, rows in things(source):
        about = {key: image[key] for key in ("width", "height")}
        taken = data.add_image(file_name=f"{PICTURES}/{image['file_name']}", **about)
        for row in rows:
            kind = data.ensure_category(names(source)[row["category_id"]])
            data.add_annotation(taken, kind, bbox=row["bbox"], segmentation=row["segmentation"])
    data.dump("data.kwcoco.json")
    return Path("data.kwcoco.json")


def by_darwin(source):
    from darwin import datatypes
    from darwin.exporter.formats import coco

    taken = []
    for image, rows in things(source):
        shapes = [
            datatypes.make_polygon(names(source)[row["category_id"]], [{"x": x, "y": y} for x, y in points(row)])
            for row in rows
        ]
        size = {"image_width": image["width"], "image_height": image["height"]}
        kinds = {shape.annotation_class for shape in shapes}
        file = {"path": Path(image["file_name"]), "filename": image["file_name"], "remote_path": "/"}
        taken.append(datatypes.AnnotationFile(**file, annotation_classes=kinds, annotations=shapes, seq=0, **size))
    coco.export(taken, Path())
    return Path("output.json")


def by_segments(source):
    from PIL import Image
    from segments import SegmentsDataset
    from segments.export import export_coco_instance

    kept = shutil.copytree(PICTURES, Path("segments/me_toys/v1"))
    samples = []
    for image, rows in things(source):
        bitmap = np.zeros((image["height"], image["width"]), np.int32)
        for n, row in enumerate(rows, 1):
            bitmap[coco_mask.decode(code(row, image)) > 0] = n
        Image.fromarray(bitmap).save(kept / image["file_name"].replace(".png", "_label_ground-truth.png"))
        kinds = [{"id": n, "category_id": row["category_id"]} for n, row in enumerate(rows, 1)]
        url = f"https://example.org/{image['file_name']}"
        label = {"annotations": kinds, "segmentation_bitmap": {"url": url}}
        about = {"uuid": str(image["id"]), "name": image["file_name"], "metadata": {}}
        about |= {"attributes": {"image": {"url": url}}}
        samples.append(about | {"labels": {"ground-truth": {"label_status": "LABELED", "attributes": label}}})
    categories = [{key: row[key] for key in ("id", "name")} for row in source["categories"]]
    told = {"owner": "me", "name": "toys", "task_type": "segmentation-bitmap", "labelsets": [{"name": "ground-truth"}]}
    told |= {"task_attributes": {"format_version": "0.1", "categories": categories}, "samples": samples}
    Path("release.json").write_text(json.dumps({"name": "v1", "dataset": told}))
    return Path(export_coco_instance(SegmentsDataset("release.json", preload=False), "out")[0])


def by_imantics(source):
    from imantics_lts import Dataset

    Path("coco.json").write_text(json.dumps(Dataset.from_coco(source).coco(), default=plain))
    return Path("coco.json")


# ------------------------------------------------------------------------------------------------------------------- writing

TOOLS = {  # each with the package whose version counts
    by_supervision: "supervision",
    by_datumaro: "datumaro",
    by_fiftyone: "fiftyone",
    by_sahi: "sahi",
    by_labelme2coco: "labelme2coco",
    by_globox: "globox",
    by_label_studio: "label-studio-sdk",
    by_pylabel: "pylabel",
    by_pycocotools: "pycocotools",
    by_lvis: "lvis",
    by_kwcoco: "kwcoco",
    by_darwin: "darwin-py",
    by_segments: "segments-ai",
    by_imantics: "imantics-lts",
}


def laid_out(source):
    """With what layouts.py takes of an annotation beside COCO's own keys."""
    images = {image["id"]: image for image in source["images"]}
    rows = [row | {"box": box(row), "code": code(row, images[row["image_id"]])} for row in source["annotations"]]
    return source | {"annotations": rows}


def main(*wanted):
    """Write every file, or those that are named."""
    from layouts import BY_HAND  # beside this script

    versions = {tool.__name__.removeprefix("by_"): version(package) for tool, package in TOOLS.items()}
    versions |= {layout.__name__: "by hand" for layout in BY_HAND}
    for tool in (*TOOLS, *BY_HAND):
        name = tool.__name__.removeprefix("by_")
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = draw(Path(folder))
            os.chdir(folder)
            Path("source.json").write_text(json.dumps(source))
            data = json.loads(tool(source).read_text()) if tool in TOOLS else tool(laid_out(source))
            os.chdir(HERE)
        file = HERE / f"{name}.json"
        file.write_text(json.dumps(data, separators=(",", ":")) + "\n")  # as it was written, but for white space
        print(name, versions[name], len(data["annotations"]), file.stat().st_size)
    (HERE / "VERSIONS.json").write_text(json.dumps(versions, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
