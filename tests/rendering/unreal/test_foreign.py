"""Mannequins whose bones are known: the model fitted to what UnrealCV tells of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes import BallRenderer, ball_person, ball_shot, model

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.labels import annotate
from spinetrack_synth.motion.skeletons import load_skeleton
from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.rendering.unreal.errors import EngineError
from spinetrack_synth.rendering.unreal.foreign import (
    parse_bones,
    people_of_bones,
    with_seen_skin,
)
from spinetrack_synth.shot import Frame
from spinetrack_synth.skeleton import NAMES

SIZE = 1.08
"""How much larger the mannequin is than the model."""


def tall():
    return scale_tree(model(), np.full((len(model().bodies), 3), SIZE))


def posture(**coordinates: float) -> np.ndarray:
    q = model().default_coordinates.copy()
    for name, value in coordinates.items():
        q[model().coordinate_index[name]] = value
    return q


def bones_of(q: np.ndarray) -> str:
    """What UnrealCV would list of an Unreal 5 mannequin that stands as a tall model does."""
    tree = tall()
    frames, markers = body_transforms(tree, q), marker_positions(tree, q)
    listed = []
    for name, point in load_skeleton("unreal5").points.items():
        if point.marker:
            row = tree.marker_index[point.marker]
            frame, place = frames[tree.marker_body[row]], markers[row]
        else:
            frame = frames[tree.body_index[point.body]]
            place = frame[:3, :3] @ (SIZE * np.array(point.offset_m)) + frame[:3, 3]
        if point.turn_body:
            frame = frames[tree.body_index[point.turn_body]]
        pitch, yaw, roll = axes.matrix_rotator(axes.rotations_swapped(frame[:3, :3]))
        x, y, z = axes.to_unreal(place)
        listed.append({"bone_name": name, "transform": {
            "Pitch": pitch, "Yaw": yaw, "Roll": roll, "X": x, "Y": y, "Z": z,
            "ScaleX": 1.0, "ScaleY": 1.0, "ScaleZ": 1.0}})  # fmt: skip
    return json.dumps(listed)


POSTURES = (
    posture(),
    posture(hip_flexion_r=1.0, knee_angle_r=1.2, arm_flex_l=1.5, elbow_flex_l=0.8),
    posture(lumbar_extension=-0.4, pelvis_rotation=2.0, arm_add_r=-1.2, pelvis_tz=1.5),
)


def keypoint_errors_m(people) -> np.ndarray:
    tree = tall()
    rows = [tree.marker_index[name] for name in NAMES]
    truth = np.array([marker_positions(tree, q)[rows] for q in POSTURES])
    found = np.array([person.keypoints_world for person in people])
    return np.linalg.norm(found - truth, axis=-1)


def test_bones_come_from_unreals_axes() -> None:
    bones = parse_bones(bones_of(POSTURES[2]))
    tree = tall()
    frame = body_transforms(tree, POSTURES[2])[tree.body_index["pelvis"]]
    np.testing.assert_allclose(bones["pelvis"][:3, :3], frame[:3, :3], atol=1e-9)
    assert parse_bones("[]") == {}
    for wrong in ("", "{}x", "[1]", '[{"bone_name":"a"}]'):
        with pytest.raises(EngineError, match="bones world"):
            parse_bones(wrong)


@pytest.mark.parametrize("with_rest", [True, False])
def test_a_mannequin_is_fitted(with_rest: bool) -> None:
    poses = [parse_bones(bones_of(q)) for q in POSTURES]
    people = people_of_bones(poses, model(), "Manny", rest=poses[0] if with_rest else None)
    errors = keypoint_errors_m(people)
    limbs = [NAMES.index(f"{side}_{joint}") for side in ("left", "right")
             for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]  # fmt: skip
    assert errors[:, limbs].max() < 0.01
    assert np.median(errors) < 0.02
    assert people[0].subject_id == "Manny"
    assert people[1].body2world.shape == (len(model().bodies), 4, 4)


def test_other_bones_are_refused() -> None:
    with pytest.raises(UserError):
        people_of_bones([{f"part_{k}": np.eye(4) for k in range(12)}], model(), "Crate")


def test_seen_skin_tells_what_is_visible() -> None:
    whole = ball_person(arm_flex_l=1.2)
    shot = ball_shot(whole)
    drawn = BallRenderer().render(shot)
    seen = with_seen_skin(whole, model(), shot.camera, drawn.ids == 1, drawn.depth_m)
    assert len(seen.skin_world) == np.count_nonzero(drawn.ids)
    expected = annotate(shot, drawn)[0].keypoints[:, 2]
    foreign = ball_shot(seen)
    found = annotate(foreign, Frame(drawn.rgb, drawn.ids, drawn.depth_m))[0].keypoints[:, 2]
    assert (found == expected).mean() > 0.85
