from collections import Counter

import numpy as np
import pytest

from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.faces import EXPRESSIONS as KNOWN
from spinetrack_synth.avatars.faces import MOST_TURNED_RAD
from spinetrack_synth.avatars.making import make_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.camera import look_at
from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes.faces import EXPRESSIONS, draw_intents, with_faces
from spinetrack_synth.skeleton import NAMES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene():
    """Two people who stand side by side, and a camera before them."""
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    avatars = [make_avatar(sample_subject(7, k)) for k in (2, 4)]
    people = [pose_avatar(avatar, avatar.rig.coordinates) for avatar in avatars]
    head = people[0].keypoints_world[NAMES.index("nose")]
    camera = look_at(head + np.array([3.0, 0.2, 0.4]), head, focal_px=400, width=320, height=240)
    return avatars, people, camera


def test_every_expression_that_is_drawn_is_known():
    assert all(set(weights) <= set(KNOWN) for weights in EXPRESSIONS.values())


def test_faces_are_a_pure_function_of_seed_and_index_and_differ_between_shots(scene):
    avatars, people, camera = scene
    drawn = [draw_intents(avatars, people, camera, 7, index) for index in range(40)]
    assert drawn == [draw_intents(avatars, people, camera, 7, index) for index in range(40)]
    expressions = Counter(intent.expression for intents in drawn for intent in intents)
    gazes = Counter(intent.gaze for intents in drawn for intent in intents)
    assert len(expressions) > 4 and max(expressions.values()) < 60
    assert gazes["camera"] > 5 and gazes["ahead"] > 5


def test_eyes_that_look_at_the_camera_do(scene):
    avatars, people, camera = scene
    for index in range(40):
        intents = draw_intents(avatars, people, camera, 7, index)
        if intents[0].gaze == "camera":
            break
    faced = with_faces(avatars, people, camera, intents)[0]
    assert (faced.face.gaze, faced.face.expression) == ("camera", intents[0].expression)
    number = [part.name for part in avatars[0].parts].index("eyes")
    for ball, name in zip(
        np.split(faced.surfaces[number].vertices_world, 2), ("left_eye", "right_eye"), strict=True
    ):
        eye = faced.keypoints_world[NAMES.index(name)]
        looks, wanted = ball[0] - eye, camera.position_world - eye
        cosine = looks @ wanted / np.linalg.norm(looks) / np.linalg.norm(wanted)
        assert np.degrees(np.arccos(cosine)) < 1.5
        assert np.arccos(wanted[0] / np.linalg.norm(wanted)) < MOST_TURNED_RAD
