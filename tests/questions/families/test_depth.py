import pytest

from pstgen.questions.families import depth


def only(scene):
    (fact,) = depth.ask(scene)
    return fact.truth


@pytest.mark.parametrize(
    ("cup", "dog", "answer"),
    [(2.0, 4.0, "cup"), (4.0, 2.0, "dog"), (2.0, 2.3, None), (2.0, 2.4, "cup"), (None, 2.0, None)],
)
def test_the_nearer_one_where_depths_are_known_and_differ(scene, thing, cup, dog, answer):
    some = scene(thing("cup", 5, 5, depth=cup), thing("dog", 60, 60, depth=dog))
    assert only(some).answer == answer


def test_photographs_have_no_depth_of_their_own(scene, thing):
    some = scene(thing("cup", 5, 5), thing("dog", 60, 60))
    assert only(some).reason == "no depth"


def test_in_the_world_it_agrees_with_the_depth_of_every_pixel():
    """Oracle: the median of the drawn depth map over what is seen of each."""
    import numpy as np

    from pstgen.scenes import pixels
    from pstgen.scenes.world.plan import plan
    from pstgen.scenes.world.scenes import scene as drawn

    asked = 0
    for n in range(60):
        told, drawing = drawn(plan(2, n, 0.9), 96, None, None)
        by_name = {thing.category: thing for thing in told.instances}
        for fact in depth.ask(told):
            if fact.truth.known:
                near, far = (np.median(drawing.depth[pixels.mask(by_name[name], told)]) for name in fact.about)
                names = depth.answers(fact.form, fact.about)
                assert fact.truth.answer == names[int(near > far)]
                asked += 1
    assert asked > 20
