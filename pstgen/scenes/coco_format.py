"""The rows of COCO's JSON files, as far as they are read."""

from typing import Annotated

import msgspec

Id = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
Side = Annotated[int, msgspec.Meta(ge=0, le=2**20)]  # pixels


class Picture(msgspec.Struct, gc=False):
    """A row of `images`.

    Of LVIS (Gupta et al. 2019), which names the file by coco_url alone: neg_category_ids are certainly not there, of
    not_exhaustive_category_ids not every instance is annotated; of other categories that are not annotated nothing is known.
    """

    id: Id
    file_name: str = ""
    width: Side = 0  # 0 where the file does not say
    height: Side = 0
    license: Id | None = None
    depth_file: str = ""
    coco_url: str = ""
    neg_category_ids: list[Id] | None = None
    not_exhaustive_category_ids: list[Id] = []

    @property
    def file(self) -> str:
        """The name of its file; of LVIS with the folder of its split."""
        return self.file_name or "/".join(self.coco_url.split("/")[-2:])


class Annotation(msgspec.Struct, gc=False):
    """A row of `annotations`; what may be malformed stays raw until it is needed."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: msgspec.Raw = msgspec.Raw(b"")
    segmentation: msgspec.Raw = msgspec.Raw(b"")
    area: float | None = None
    iscrowd: int = 0
    keypoints: msgspec.Raw = msgspec.Raw(b"")
    color: str = ""
    depth: float | None = None
    text: str = ""
    full_segmentation: msgspec.Raw = msgspec.Raw(b"")


class Category(msgspec.Struct, gc=False):
    """A row of `categories`."""

    id: Id
    name: str = ""
    keypoints: list[str] = []


class Licence(msgspec.Struct, gc=False):
    """A row of `licenses`. unlisted: there is no such row; pictures name it by a text, and its id is ours."""

    id: Id
    name: str = ""
    url: str = ""
    unlisted: bool = False


class Info(msgspec.Struct, gc=False):
    """`info`; `complete` is ours: everything that the images show is annotated."""

    complete: bool = False
    description: str = ""


class Instances(msgspec.Struct, gc=False):
    """instances_*.json."""

    images: list[Picture]
    annotations: list[Annotation]
    categories: list[Category]
    licenses: list[Licence] = []
    info: Info = msgspec.field(default_factory=Info)


class Pose(msgspec.Struct, gc=False):
    """A row of person_keypoints_*.json."""

    id: Id
    keypoints: msgspec.Raw


class Poses(msgspec.Struct, gc=False):
    """person_keypoints_*.json."""

    annotations: list[Pose]
    categories: list[Category]


class Caption(msgspec.Struct, gc=False):
    """A row of captions_*.json."""

    image_id: Id
    id: Id = 0
    caption: str = ""


class Captions(msgspec.Struct, gc=False):
    """captions_*.json."""

    annotations: list[Caption]


class Pictures(msgspec.Struct):
    """The images of instances_*.json and their licences: what an index needs."""

    images: list[Picture]
    licenses: list[Licence] = []
