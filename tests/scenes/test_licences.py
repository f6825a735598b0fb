"""Licences are meant by id, name, address or short name; what no picture has is an error that lists what pictures have."""

import json

import pytest

from pstgen.core.config import build_config
from pstgen.core.records import BadInput
from pstgen.core.report import Refusals
from pstgen.scenes import licences, sources
from pstgen.scenes.licences import Licence

COCO = [  # as COCO's annotation files list them
    Licence("1", "Attribution-NonCommercial-ShareAlike License", "http://creativecommons.org/licenses/by-nc-sa/2.0/"),
    Licence("4", "Attribution License", "http://creativecommons.org/licenses/by/2.0/"),
    Licence("5", "Attribution-ShareAlike License", "http://creativecommons.org/licenses/by-sa/2.0/"),
    Licence("7", "No known copyright restrictions", "http://flickr.com/commons/usage/"),
    Licence("8", "United States Government Work", "http://www.usa.gov/copyright.shtml"),
]
BY = "http://creativecommons.org/licenses/by/2.0/"


def meant(*wanted, of=COCO):
    allowed = licences.allowed(wanted, dict.fromkeys(of, 3))
    return {licence.id for licence in of if allowed(licence.address)}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("4", {"4"}),
        ("Attribution License", {"4"}),
        ("attribution license", {"4"}),
        (BY, {"4"}),
        ("https://creativecommons.org/licenses/by/2.0", {"4"}),
        ("cc-by", {"4"}),
        ("CC-BY-2.0", {"4"}),
        ("cc-by-nc-sa", {"1"}),
        ("public-domain", {"8"}),
        ("us-government", {"8"}),
        ("no-known-copyright", {"7"}),
    ],
)
def test_a_licence_of_cocos_is_meant_by(text, ids):
    assert meant(text) == ids


def test_several_licences_are_all_meant():
    assert meant("4", "cc-by-sa", "public-domain") == {"4", "5", "8"}


def test_where_none_is_named_all_are_allowed():
    assert meant() == {licence.id for licence in COCO}
    assert licences.allowed((), {})("")


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("https://creativecommons.org/licenses/by/4.0/deed.en", {"cc-by", "cc-by-4.0"}),
        ("https://creativecommons.org/publicdomain/zero/1.0/", {"cc0", "cc0-1.0", "public-domain"}),
        (
            "https://creativecommons.org/publicdomain/mark/1.0/",
            {"public-domain-mark", "public-domain-mark-1.0", "public-domain"},
        ),
        ("CC BY 4.0", {"cc-by", "cc-by-4.0"}),
        ("CC0", {"cc0", "public-domain"}),
        ("The MIT License", set()),
        ("", set()),
    ],
)
def test_a_licence_has_short_names_by_its_address_or_its_name(address, names):
    assert licences.short_names(address) == names


@pytest.mark.parametrize("text", ["cc0", "2", "cc-by-4.0", "Attribution", "cc-by-nc", "commons"])
def test_a_licence_that_no_picture_has_is_an_error_that_lists_those_there_are_with_counts(text):
    counted = {COCO[1]: 40, COCO[0]: 51, COCO[2]: 1, Licence("", ""): 2}
    with pytest.raises(BadInput) as error:
        licences.allowed(("cc-by", text), counted)
    assert str(error.value) == (
        f"--licenses {text}: no picture has such a licence. "
        "Pictures have: 51 cc-by-nc-sa (1), 40 cc-by (4), 2 none is given, 1 cc-by-sa (5)"
    )


def test_a_licence_that_is_listed_and_that_no_picture_has_is_an_error_too():
    with pytest.raises(BadInput, match="--licenses 5"):
        licences.allowed(("5",), {COCO[1]: 40, COCO[2]: 0})


def test_ids_are_those_of_the_file_and_mean_nothing_in_another():
    """A prior's file may number its licences in another way."""
    allowed = licences.allowed(("4", "cc-by-sa"), {COCO[1]: 1, COCO[2]: 1})
    assert allowed(BY)
    assert allowed("https://creativecommons.org/licenses/by-sa/4.0/")
    assert not allowed("http://creativecommons.org/licenses/by-nd/2.0/")


@pytest.fixture
def licensed(tmp_path, photographs):
    """COCO's folder with four pictures: of a licence with the id 0, of one named by a text, of none, and of one not listed."""
    file = photographs(tmp_path, "val2017", range(1, 5))
    table = json.loads(file.read_text())
    table["licenses"] = [{"id": 0, "name": "Attribution License", "url": BY}]
    for row, licence in zip(table["images"], (0, "CC0", None, 9), strict=True):
        row["license"] = licence
    file.write_text(json.dumps(table))
    return build_config(root=tmp_path)


def test_the_index_gives_the_licence_that_the_scene_has(licensed):
    source = sources.load("coco")
    entries = source.index(licensed)
    assert [entry.licence for entry in entries] == [BY, "CC0", "", ""]
    assert [scene.licence for scene in source.scenes(licensed, lambda _: True, Refusals())] == [BY, "CC0", "", ""]
    counted = sources.licences(licensed, entries)
    assert {licence.label: n for licence, n in counted.items()} == {"cc-by (0)": 1, "cc0": 1, "none is given": 2}


def test_the_world_is_in_the_public_domain():
    config = build_config(source="world", scenes=5)
    counted = sources.licences(config, sources.load("world").index(config))
    assert {licence.label: n for licence, n in counted.items()} == {"cc0": 5}
