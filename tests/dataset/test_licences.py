"""What the text or the address of a licence stands for."""

import pytest

from pstgen.dataset.licences import header, licence

COCO = {  # the eight addresses of COCO's annotation files: name, changes, commercial
    "http://creativecommons.org/licenses/by-nc-sa/2.0/": ("CC-BY-NC-SA-2.0", True, False),
    "http://creativecommons.org/licenses/by-nc/2.0/": ("CC-BY-NC-2.0", True, False),
    "http://creativecommons.org/licenses/by-nc-nd/2.0/": ("CC-BY-NC-ND-2.0", False, False),
    "http://creativecommons.org/licenses/by/2.0/": ("CC-BY-2.0", True, True),
    "http://creativecommons.org/licenses/by-sa/2.0/": ("CC-BY-SA-2.0", True, True),
    "http://creativecommons.org/licenses/by-nd/2.0/": ("CC-BY-ND-2.0", False, True),
    "http://flickr.com/commons/usage/": ("no known copyright restrictions (Flickr Commons)", None, None),
    "http://www.usa.gov/copyright.shtml": ("work of the United States government", None, None),
}


@pytest.mark.parametrize(("text", "expected"), COCO.items())
def test_each_licence_of_coco_is_known_with_what_it_allows(text, expected):
    found = licence(text)
    assert (found.name, found.changes, found.commercial) == expected
    assert found.url


@pytest.mark.parametrize(
    "text", ["CC BY-SA 4.0", "cc-by-sa-4.0", "https://creativecommons.org/licenses/by-sa/4.0/deed.en"]
)
def test_a_name_and_an_address_of_one_licence_are_the_same(text):
    assert licence(text) == licence("https://creativecommons.org/licenses/by-sa/4.0/")


def test_of_a_licence_that_is_not_known_nothing_is_claimed():
    found = licence("for\nfriends | [only](javascript:x)")
    assert (found.url, found.changes, found.commercial, found.hub) == ("", None, None, "")
    assert "\n" not in found.linked
    assert "\\|" in found.linked
    assert "\\[only\\]" in found.linked


def test_a_card_names_the_hubs_identifiers_where_all_licences_have_one():
    assert header(["CC0-1.0", "http://creativecommons.org/licenses/by/2.0/"]) == {"license": ["cc-by-2.0", "cc0-1.0"]}
    other = header(["CC0-1.0", "http://creativecommons.org/licenses/by-sa/2.0/"])
    assert (other["license"], other["license_link"]) == ("other", "LICENSE.md")


@pytest.mark.parametrize("texts", [[], [""], ["CC0-1.0", ""]])
def test_a_set_with_a_picture_that_names_no_licence_has_none_of_the_hubs(texts):
    assert header(texts)["license"] == "other"
