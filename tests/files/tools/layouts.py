"""Layouts of tools that cannot be run here, made by hand.

Each takes COCO's tables, ids from 1, whose annotations also have `box`, of the largest part, and `code`, run-length.
"""

COCO = ("id", "image_id", "category_id", "bbox", "area", "iscrowd")


def rows(source, *keys):
    """The annotations with these keys alone."""
    return [{key: row[key] for key in keys} for row in source["annotations"]]


def roboflow(source):
    """Category 0 is the project's own and without use; names are those of uploaded copies."""
    order = {row["id"]: n for n, row in enumerate(source["categories"], 1)}
    kinds = [{"id": order[row["id"]], "name": row["name"], "supercategory": "toys"} for row in source["categories"]]
    when = "2024-03-03T12:00:00+00:00"
    return {
        "info": {"year": "2024", "version": "1", "description": "Exported from roboflow.com", "date_created": when},
        "licenses": [{"id": 1, "url": "https://creativecommons.org/licenses/by/4.0/", "name": "CC BY 4.0"}],
        "categories": [{"id": 0, "name": "toys", "supercategory": "none"}, *kinds],
        "images": [
            {
                "id": row["id"] - 1,
                "license": 1,
                "file_name": f"{row['file_name'].replace('.', '_')}.rf.{row['id']:032x}.jpg",
                "height": row["height"],
                "width": row["width"],
                "date_captured": when,
                "extra": {"name": row["file_name"]},
            }
            for row in source["images"]
        ],
        "annotations": [
            {
                "id": row["id"] - 1,
                "image_id": row["image_id"] - 1,
                "category_id": order[row["category_id"]],
                "bbox": row["bbox"],
                "area": row["bbox"][2] * row["bbox"][3],
                "segmentation": [],
                "iscrowd": 0,
            }
            for row in source["annotations"]
        ],
    }


def cvat(source):
    """Licence 0, and attributes of every shape."""
    more = {"license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0}
    marks = {"attributes": {"occluded": False, "track_id": 0, "keyframe": True}}
    return {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": dict.fromkeys(("contributor", "date_created", "description", "url", "version", "year"), ""),
        "categories": [row | {"supercategory": ""} for row in source["categories"]],
        "images": [row | more for row in source["images"]],
        "annotations": [row | marks for row in rows(source, *COCO, "segmentation")],
    }


def via(source):
    """Ids of images as text, one outline, and for the area that of the box."""
    url = "http://www.robots.ox.ac.uk/~vgg/software/via/"
    return {
        "info": {"year": 2024, "version": "1.0", "description": "VIA project exported to COCO format", "url": url},
        "licenses": [{"id": 0, "name": "Unknown License", "url": ""}],
        "categories": [row | {"supercategory": "type"} for row in source["categories"]],
        "images": [
            row | {"id": str(row["id"]), "license": 0, "flickr_url": row["file_name"], "coco_url": row["file_name"]}
            for row in source["images"]
        ],
        "annotations": [
            {
                "segmentation": row["segmentation"][:1],
                "area": row["box"][2] * row["box"][3],
                "bbox": row["box"],
                "iscrowd": 0,
                "id": row["id"],
                "image_id": str(row["image_id"]),
                "category_id": row["category_id"],
            }
            for row in source["annotations"]
        ],
    }


JOINTS = ("L_Eye", "R_Eye", "Nose", "Neck", "Root of tail", "L_F_Paw", "R_F_Paw", "L_B_Paw", "R_B_Paw")
BONES = ((1, 2), (1, 3), (2, 3), (3, 4), (4, 5), (4, 6), (4, 7), (5, 8), (5, 9))
PLACES = ((0.1, 0.1), (0.2, 0.1), (0.1, 0.2), (0.3, 0.4), (0.9, 0.4), (0.3, 1), (0.2, 1), (0.9, 1), (0.8, 1))
ANIMALS = frozenset({"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "giraffe"})


def mmpose(source):
    """As AP-10K has it: boxes, and joints of animals with a skeleton of its own."""
    body = {"keypoints": JOINTS, "skeleton": BONES}
    animals = {row["id"] for row in source["categories"] if row["name"] in ANIMALS}
    return {
        "info": {"description": "AP-10k", "version": "1.0", "year": 2021},
        "licenses": [{"id": 1, "name": "The MIT License", "url": "https://www.mit.edu/~amini/LICENSE.md"}],
        "categories": [row | (body if row["id"] in animals else {}) for row in source["categories"]],
        "images": [row | {"license": 1, "background": 1} for row in source["images"]],
        "annotations": [row | (_posed(row) if row["category_id"] in animals else {}) for row in rows(source, *COCO)],
    }


def _posed(row):
    x, y, width, height = row["bbox"]
    joints = [number for across, down in PLACES for number in (x + across * width, y + down * height, 2)]
    return {"num_keypoints": len(JOINTS), "keypoints": joints}


def detectron2(source):
    """Run-length codes as text, no licences, and annotations last."""
    info = {
        "date_created": "2024-03-03 12:00:00",
        "description": "Automatically generated COCO json file for Detectron2.",
    }
    return {
        "info": info,
        "images": [row | {"file_name": f"datasets/toys/{row['file_name']}"} for row in source["images"]],
        "categories": [{key: row[key] for key in ("id", "name")} for row in source["categories"]],
        "licenses": None,
        "annotations": [row | {"segmentation": row.pop("code")} for row in rows(source, *COCO, "code")],
    }


BY_HAND = (roboflow, cvat, via, mmpose, detectron2)
