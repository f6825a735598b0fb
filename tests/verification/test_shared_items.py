"""What two sets share is counted by kind, each thing once."""

import pytest

from pstgen.core.records import Item
from pstgen.verification.probes import ImageFile
from pstgen.verification.shared_items import Contents, Shared


def file(name, scene, data=b"", question="Is there a cup?"):
    item = Item(
        item_id=name,
        pair_id=name.split("-")[0],
        role="stress",
        scene_id=scene,
        image="",
        family="existence",
        form="",
        about=("cup",),
        frame="neutral",
        question=question,
        neutral=question,
        options=("yes", "no"),
        answer="no",
        lure="yes",
    )
    return ImageFile(item, f"{name}.png", data or scene.encode())


OWN = [file("p-a", "world/1"), file("p-b", "world/2+remove-1"), file("q-a", "world/1", question="Is there a dog?")]


def shared(*others, ids=True):
    found = Shared(Contents.of(OWN), "train", ids=ids)
    for other in others:
        found.add(other)
    return found


@pytest.mark.parametrize(
    ("other", "figures"),
    [
        (file("r-a", "world/9"), {}),
        (file("r-a", "world/2", b"another"), {"scenes/against": 1}),
        (file("p-a", "world/9"), {"pairs/against": 1}),
        (file("r-a", "world/9", b"world/1", "Is there a cat?"), {"pictures/against": 1}),
        (file("r-a", "world/9", b"world/1", "Is there a dog?"), {"pictures/against": 1, "items/against": 1}),
    ],
)
def test_each_kind_is_found_by_itself(other, figures):
    found = shared(other).figures
    assert found == dict.fromkeys(found, 0) | figures


def test_what_passes_twice_counts_once():
    found = shared(file("r-a", "world/2", b"x"), file("r-b", "world/2+recolour-7", b"y"))
    assert found.lines == ["scene world/2: is in train, too"]
    assert (found.words, found.read) == ("1 scene in common", 2)


def test_ids_of_other_sources_mean_nothing_and_that_is_said():
    found = shared(file("p-a", "world/2", b"another"), ids=False)
    assert found.lines == []
    assert found.words.startswith("no picture, near-duplicate, scene, pair or item in common; ids of scenes")


def test_the_same_picture_is_not_counted_as_one_that_looks_alike_as_well():
    found = shared(file("r-a", "world/9", b"world/1", "Is there a cat?"))
    found.add_alike("world/1", "world/9", 0, 256)
    found.add_alike("world/1", "world/8", 5, 256)
    assert found.lines[1:] == ["scene world/1: looks like scene world/8 of train (5 of 256 bits differ)"]
