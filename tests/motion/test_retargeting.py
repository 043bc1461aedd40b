"""Foreign skeletons onto the model. The foreign ones are made from the model itself: their joints
lie where the tables say, and their owner is larger or rests in a T-pose."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import (
    body_transforms,
    body_transforms_batch,
    coordinates_from,
)
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, JointMotion, MarkerMotion
from spinetrack_synth.motion.model_motion import full_coordinates, marker_motion
from spinetrack_synth.motion.retargeting import fit_skeleton, retarget
from spinetrack_synth.motion.skeletons import Skeleton, known_skeletons, load_skeleton

LIMBS = ("hip_flexion_r", "hip_flexion_l", "knee_angle_r", "elbow_flex_r", "arm_add_r")
TRUNK = ("lumbar_extension", "lumbar_bending", "thoracic_rotation", "pelvis_rotation")


def worst_deg(tree: Tree, found: CoordinateMotion, q: np.ndarray, names: tuple[str, ...]) -> float:
    columns = [tree.coordinate_index[name] for name in names]
    return float(np.degrees(np.abs(found.values - q)[:, columns]).max())


def foreign(tree: Tree, table: Skeleton, q: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and positions (F, P, 3) of a table's points on the model."""
    frames = body_transforms_batch(tree, q)
    positions = []
    for point in table.points.values():
        if point.marker:
            index = tree.marker_index[point.marker]
            body, offset_m = tree.marker_body[index], tree.marker_offset_m[index]
        else:
            body, offset_m = tree.body_index[point.body], np.array(point.offset_m)
        positions.append(frames[:, body, :3, :3] @ offset_m + frames[:, body, :3, 3])
    return tuple(table.points), np.stack(positions, axis=1)


@pytest.mark.parametrize("table", known_skeletons(), ids=lambda table: table.name)
def test_positions_of_any_skeleton_give_the_limbs(
    tree: Tree, steps: CoordinateMotion, table: Skeleton
) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, table, q)
    motion = MarkerMotion(names, steps.times_s, 1.1 * positions_m)
    fit = fit_skeleton(motion, tree)
    assert fit.skeleton.name == table.name
    assert np.median(fit.factors) == pytest.approx(1.1, abs=0.02)
    assert worst_deg(tree, fit.motion, q, ("knee_angle_r", "elbow_flex_r")) < 1.0
    assert worst_deg(tree, fit.motion, q, LIMBS) < 10.0  # what the pelvis takes, hips give
    assert fit.solution.rms_m < 0.004


def test_spinetrack_points_give_the_spine(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, load_skeleton("spinetrack37"), q)
    found = retarget(MarkerMotion(names, steps.times_s, positions_m), tree)
    assert worst_deg(tree, found, q, TRUNK) < 1.0


def test_missing_points_are_left_out(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, load_skeleton("spinetrack37"), q)
    positions_m[3:5, names.index("right_wrist")] = np.nan
    positions_m[:, names.index("nose")] = np.nan
    found = retarget(MarkerMotion(names, steps.times_s, positions_m), tree)
    assert worst_deg(tree, found, q, TRUNK) < 1.0


def rig(tree: Tree, q: np.ndarray, rest_q: np.ndarray) -> JointMotion:
    """Unreal's bones carried by the model's bodies, at rest in the posture ``rest_q``."""
    table = load_skeleton("unreal5")
    names, positions_m = foreign(tree, table, q)
    rest_m = foreign(tree, table, rest_q[None])[1][0]
    bodies = []
    for point in table.points.values():
        of_marker = tree.marker_body[tree.marker_index[point.marker]] if point.marker else None
        body = tree.body_index[point.turn_body or point.body] if of_marker is None else of_marker
        bodies.append(tree.body_index[point.turn_body] if point.turn_body else body)
    now = body_transforms_batch(tree, q)[:, bodies, :3, :3]
    rest = body_transforms(tree, rest_q)[bodies, :3, :3]
    turns = now @ rest.transpose(0, 2, 1)
    return JointMotion(names, np.arange(len(q)) / 30, positions_m, turns, rest_m, "rig")


def test_rotations_of_bones_count_from_their_pose_of_rest(
    tree: Tree, steps: CoordinateMotion
) -> None:
    q = full_coordinates(tree, steps)
    t_pose = coordinates_from(
        tree, {"arm_add_r": -1.4, "arm_add_l": -1.4, "pro_sup_r": 1.5, "pro_sup_l": 1.5}
    )
    bigger = scale_tree(tree, np.full((len(tree.bodies), 3), 1.08))
    fit = fit_skeleton(rig(bigger, q, t_pose), tree)
    assert fit.solution.rms_m < 0.01
    assert worst_deg(tree, fit.motion, q, LIMBS) < 3.0
    assert worst_deg(tree, fit.motion, q, TRUNK) < 6.0


def test_a_pose_of_rest_that_is_none_is_ignored(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    motion = rig(tree, q, q[0])
    along_x = np.zeros_like(motion.rest_m)
    along_x[:, 0] = np.arange(len(along_x)) * 0.2
    line = JointMotion(
        motion.names, motion.times_s, motion.positions_m, motion.turns, along_x, "line"
    )
    fit = fit_skeleton(line, tree)
    assert worst_deg(tree, fit.motion, q, ("knee_angle_r", "elbow_flex_r")) < 1.0
    assert np.median(fit.factors) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("factor", "unit"), [(1000.0, "mm"), (100.0, "cm"), (0.001, "m")])
def test_wrong_units_are_told(
    tree: Tree, steps: CoordinateMotion, factor: float, unit: str
) -> None:
    markers = marker_motion(tree, steps)
    motion = MarkerMotion(markers.names, markers.times_s, markers.positions_m * factor, "walk.csv")
    with pytest.raises(UserError, match=f"walk.csv: the body is .* try --unit {unit}$"):
        retarget(motion, tree)


def test_a_motion_without_positions_is_told(tree: Tree, steps: CoordinateMotion) -> None:
    markers = marker_motion(tree, steps)
    empty = MarkerMotion(
        markers.names, markers.times_s, np.full_like(markers.positions_m, np.nan), "gone.trc"
    )
    with pytest.raises(UserError, match=r"gone\.trc: its points have no positions"):
        retarget(empty, tree)


def test_a_table_for_another_model_is_told(tree: Tree, steps: CoordinateMotion) -> None:
    from spinetrack_synth.motion.skeletons import parse_skeleton

    table = parse_skeleton(
        'name = "a"\ntitle = "b"\n[points]\nnose = { body = "snout" }', "own.toml"
    )
    with pytest.raises(UserError, match=r"points\.nose: the model .* has no body 'snout'"):
        retarget(marker_motion(tree, steps), tree, table)


@pytest.mark.parametrize("blinking", ["left_ear", "head", "neck"])
def test_a_marker_that_comes_and_goes_does_not_bend_the_neck(
    tree: Tree, steps: CoordinateMotion, blinking: str
) -> None:
    from spinetrack_synth.anatomy.scaling import with_marker_offsets

    rng = np.random.default_rng(5)
    table = load_skeleton("spinetrack37")
    at_m = dict(zip(tree.marker_names, tree.marker_offset_m))
    person = with_marker_offsets(
        tree, {name: at_m[name] + rng.normal(0, 0.012, 3) for name in table.order}
    )
    still = np.repeat(full_coordinates(tree, steps)[:1], 60, axis=0)
    names, positions_m = foreign(person, table, still)
    positions_m += rng.normal(0, 0.001, positions_m.shape)
    hidden = np.arange(60) // 5 % 2 == 1
    positions_m[hidden, names.index(blinking)] = np.nan
    motion = MarkerMotion(names, np.arange(60) / 30, positions_m)
    fit = fit_skeleton(motion, tree)
    neck = [i for i, name in enumerate(tree.coordinates) if name.startswith("cervical_")]
    q_deg = np.degrees(fit.motion.values[:, neck])
    bent_deg = np.abs(q_deg[hidden].mean(axis=0) - q_deg[~hidden].mean(axis=0))
    assert bent_deg.max() < 0.5  # 1.6 to 14.6 degrees where the gaps stay
    assert np.isnan(fit.solution.marker_error_m[5:10, names.index(blinking)]).all()
    assert f"gaps filled from neighbouring points: {blinking} 50%" in " ".join(fit.motion.notes)


def test_the_fit_tells_how_good_it_is(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, load_skeleton("spinetrack37"), q)
    positions_m[3, names.index("left_ear")] += [0, 0.1, 0]
    found = retarget(MarkerMotion(names, steps.times_s, positions_m), tree).residuals
    assert found is not None
    assert (found.points, found.skeleton) == (37, "SpineTrack, 37 keypoints")
    assert (found.largest_point, found.largest_time_s) == ("left_ear", steps.times_s[3])
    assert found.worst_rms_time_s == steps.times_s[3]
    assert 60 < found.largest_mm < 100
    assert found.rms_mm < found.worst_rms_mm < found.largest_mm
    assert found.spine == ""


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("coco17", "the spine is a guess: of COCO, 17 keypoints, no points lie along it"),
        ("halpe26", "the spine is a guess: of Halpe"),
        ("smpl", "the spine is a guess: of the rig's spine positions alone count"),
        ("spinetrack37", ""),
    ],
)
def test_a_guessed_spine_is_told(
    tree: Tree, steps: CoordinateMotion, table: str, said: str
) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, load_skeleton(table), q)
    found = retarget(MarkerMotion(names, steps.times_s, positions_m), tree)
    assert found.residuals is not None
    assert found.residuals.spine.startswith(said)
    assert bool(found.residuals.spine) == bool(said)


def test_spine_points_that_are_never_seen_measure_nothing(
    tree: Tree, steps: CoordinateMotion
) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, load_skeleton("spinetrack37"), q)
    spine = [i for i, name in enumerate(names) if name.startswith(("spine", "neck"))]
    positions_m[:, spine] = np.nan
    found = retarget(MarkerMotion(names, steps.times_s, positions_m), tree)
    assert found.residuals is not None
    assert found.residuals.spine.startswith("the spine is a guess")


def test_a_rigs_spine_is_shared_out(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    found = retarget(rig(tree, q, q[0]), tree)
    assert found.residuals is not None
    assert "shared out by the model over its 24 vertebrae" in found.residuals.spine
    motion = rig(tree, q, q[0])
    along_x = np.zeros_like(motion.rest_m)
    along_x[:, 0] = np.arange(len(along_x)) * 0.2
    line = JointMotion(
        motion.names, motion.times_s, motion.positions_m, motion.turns, along_x, "line"
    )
    found = retarget(line, tree)
    assert "its pose of rest is no posture" in " ".join(found.notes)
    assert found.residuals is not None
    assert found.residuals.spine.startswith("the spine is a guess")


def test_of_two_people_one_is_taken_and_named(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    names, positions_m = foreign(tree, load_skeleton("coco17"), q)
    both = (*(f"Ann:{name}" for name in names[:15]), *(f"Ben:{name}" for name in names))
    positions_m = np.concatenate([positions_m[:, :15] + [0, 0, 2.0], positions_m], axis=1)
    fit = fit_skeleton(MarkerMotion(both, steps.times_s, positions_m, "two.c3d"), tree)
    assert "of 2 people in it, Ben is taken" in fit.motion.notes
    assert fit.solution.rms_m < 0.004
