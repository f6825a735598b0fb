"""The check that sums up whether the way of asking changes a model's answers."""

import msgspec
import pytest

from pstgen.core.config import VerifyConfig
from pstgen.dataset import store
from pstgen.verification.checks import asking


@pytest.fixture
def seen(built):
    """The set as if models had seen its items: details of each judge."""

    def dataset(**models):
        opened = store.open(built)
        named = {f"vlm/{name}": details for name, details in models.items()}
        return store.Dataset(opened.folder, msgspec.structs.replace(opened.manifest, models=named))

    return dataset


def details(way="letters", items=200, invalid=0, **same):
    return {"way": way, "agreement": {"items": items, "invalid": invalid, **same}}


def examined(dataset):
    return asking.examine(dataset, VerifyConfig(folder=dataset.folder))


def test_it_says_of_how_many_items_the_answers_are_the_same_in_another_way(seen):
    finding = examined(seen(seeing=details(options=150, generate=190)))
    assert finding.state == "sound"
    assert finding.summary == (
        "200 items, asked by letters; the same answers: 75% asked by options, 95% asked by generate"
    )
    assert finding.figures == {"options": 0.75, "generate": 0.95, "invalid": 0.0}


@pytest.mark.parametrize(("invalid", "warned"), [(0, False), (10, False), (11, True), (200, True)])
def test_many_answers_that_name_no_option_are_warned_of_and_are_no_fault_of_the_set(seen, invalid, warned):
    finding = examined(seen(seeing=details("generate", invalid=invalid, options=100)))
    assert finding.sound
    assert ("name no option, or several: another --ask may serve better" in finding.summary) == warned
    assert finding.figures["invalid"] == invalid / 200


def test_a_model_that_can_be_asked_in_one_way_only_is_said_to_be(seen):
    assert examined(seen(seeing=details())).summary.endswith("not asked otherwise")


def test_a_set_that_no_model_saw_is_not_tested_and_the_check_does_not_apply(seen):
    unseen = seen(blind={"way": "letters", "decides": True})
    assert not asking.applies(unseen)
    assert examined(unseen).state == "not tested"


def test_models_that_did_not_see_the_items_are_passed_over(seen):
    dataset = seen(**{"no-image": {"way": "options"}, "seeing": details(options=200)})
    assert asking.applies(dataset)
    assert "100% asked by options" in examined(dataset).summary
