"""Exported avatars, read back by other means than they were written with."""

from __future__ import annotations

import io

import numpy as np
import pytest
from export.reading import File
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import all_coordinates, body_transforms, marker_positions
from spinetrack_synth.avatars.avatar import Avatar, bone_motions, pose_skin
from spinetrack_synth.avatars.making import make_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.rig import TWIST_FREE
from spinetrack_synth.export.avatars import (
    PHALANGES,
    avatar_glb,
    bone_weights,
    bones_world,
    linear_skins,
    perform,
    skeleton,
)
from spinetrack_synth.export.glb import SET, Skin
from spinetrack_synth.export.influences import MOST, strongest
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.skeleton import NAMES

pytestmark = pytest.mark.slow

POSES = ("adho_mukha_svanasana", "ustrasana", "utthita_trikonasana", "vrksasana")


@pytest.fixture(scope="module")
def file(avatar: Avatar) -> File:
    return File.of(avatar_glb(avatar))


@pytest.fixture(scope="module")
def skins(avatar: Avatar) -> tuple[Skin, ...]:
    return linear_skins(avatar)


def posture(avatar: Avatar, pose: str, seed: int = 0) -> NDArray[np.float64]:
    return sample_pose(avatar.tree, library()[pose], np.random.default_rng(seed))


def local_frames(avatar: Avatar, file: File, world: NDArray) -> dict[int, NDArray]:
    bones = skeleton(avatar)
    return {
        file.node(name): world[k] if above < 0 else np.linalg.inv(world[above]) @ world[k]
        for k, (name, above) in enumerate(zip(bones.names, bones.parent))
    }


def blended(skin: Skin, points: NDArray, motion: NDArray) -> NDArray[np.float64]:
    """Points (P, 3) where bones have moved by (S, 4, 4) from rest."""
    mixed = np.einsum("pk,pkij->pij", skin.weight, motion[skin.bone])
    return np.einsum("pij,pj->pi", mixed[:, :3, :3], points) + mixed[:, :3, 3]


def test_bones_are_the_bodies_and_their_helpers(avatar: Avatar, file: File) -> None:
    joints = [file.json["nodes"][k] for k in file.json["skins"][0]["joints"]]
    helpers = [f"{name}_swing" for name in TWIST_FREE]
    assert [joint["name"] for joint in joints] == [*avatar.tree.bodies, *helpers, *PHALANGES]
    parent_of = {
        file.json["nodes"][child]["name"]: node["name"]
        for node in file.json["nodes"]
        for child in node.get("children", [])
    }
    for body, above in zip(avatar.tree.bodies, avatar.tree.chain.parent):
        assert parent_of.get(body) == (avatar.tree.bodies[above] if above >= 0 else None)
    for name in TWIST_FREE:
        assert parent_of[f"{name}_swing"] == parent_of[name]
    assert parent_of["finger2_1_l"] == "hand_l" and parent_of["finger2_3_l"] == "finger2_2_l"
    assert file.json["meshes"][0]["name"] == avatar.subject.subject_id


def test_bones_rest_where_the_bodies_do(avatar: Avatar, file: File) -> None:
    world = file.nodes_world()
    for body, frame in zip(avatar.tree.bodies, avatar.rig.body2world):
        np.testing.assert_allclose(world[file.node(body)], frame, atol=1e-6)


def test_at_rest_the_skin_is_that_of_the_renderer(avatar: Avatar, file: File) -> None:
    rest = pose_avatar(avatar, avatar.rig.coordinates)
    for primitive, surface in zip(file.primitives, rest.surfaces, strict=True):
        np.testing.assert_allclose(file.skinned(primitive), surface.vertices_world, atol=2e-6)
        faces = file.accessor(primitive["indices"]).reshape(-1, 3)
        np.testing.assert_array_equal(faces, surface.faces)
        normals = file.accessor(primitive["attributes"]["NORMAL"])
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("pose", POSES)
def test_posed_by_its_own_arrays_it_is_posed_as_by_ours(
    avatar: Avatar, file: File, skins: tuple[Skin, ...], pose: str
) -> None:
    body2world = body_transforms(avatar.tree, posture(avatar, pose))
    frames = bones_world(avatar, body2world)
    motion = frames @ np.linalg.inv(skeleton(avatar).rest_world)
    np.testing.assert_allclose(motion[: -len(PHALANGES)], bone_motions(avatar, body2world))
    local = local_frames(avatar, file, frames)
    rest = pose_avatar(avatar, avatar.rig.coordinates)
    for primitive, surface, skin in zip(file.primitives, rest.surfaces, skins):
        wanted = blended(skin, surface.vertices_world.astype(float), motion)
        np.testing.assert_allclose(file.skinned(primitive, local), wanted, atol=5e-6)


def test_weights_are_shares_of_four_bones(avatar: Avatar, file: File) -> None:
    for primitive in file.primitives:
        found = primitive["attributes"]
        sets = {name for name in found if name.startswith(("JOINTS", "WEIGHTS"))}
        assert sets == {"JOINTS_0", "WEIGHTS_0"}
        weight, bone = file.accessor(found["WEIGHTS_0"]), file.accessor(found["JOINTS_0"])
        np.testing.assert_allclose(weight.sum(axis=1, dtype=float), 1, atol=2e-7)
        assert weight.min() >= 0 and bone.max() < len(file.json["skins"][0]["joints"])
        assert not bone[weight == 0].any()


def test_four_bones_move_the_skin_as_eight_do(avatar: Avatar, skins: tuple[Skin, ...]) -> None:
    rest = pose_avatar(avatar, avatar.rig.coordinates).surfaces
    bones = np.linalg.inv(skeleton(avatar).rest_world)
    fitted_mm, largest_mm = [], []
    for seed, pose in enumerate((*POSES, "apanasana", "garudasana")):
        body2world = body_transforms(avatar.tree, posture(avatar, pose, seed))
        fingers = np.random.default_rng(seed).uniform(0, 1.2, (2, 5, 3))
        motion = bones_world(avatar, body2world, fingers) @ bones
        for surface, part, skin in zip(rest, avatar.parts, skins):
            weight = bone_weights(avatar, part)
            np.testing.assert_allclose(weight.sum(axis=1), 1, atol=1e-6)
            if part.name not in ("skin", "tank"):
                continue
            points = surface.vertices_world.astype(float)
            eight = blended(strongest(weight, MOST), points, motion)
            fitted_mm.append(1000 * np.linalg.norm(blended(skin, points, motion) - eight, axis=1))
            four = blended(strongest(weight, SET), points, motion)
            largest_mm.append(1000 * np.linalg.norm(four - eight, axis=1))
    fitted, largest = np.concatenate(fitted_mm), np.concatenate(largest_mm)
    assert np.percentile(fitted, 99) < 2 and fitted.max() < 8
    assert np.percentile(largest, 99) > 5, "the largest weights alone would have done"


def test_the_same_avatar_has_the_same_weights(avatar: Avatar, skins: tuple[Skin, ...]) -> None:
    for skin, again in zip(skins, linear_skins(make_avatar(avatar.subject))):
        np.testing.assert_array_equal(skin.bone, again.bone)
        np.testing.assert_array_equal(skin.weight, again.weight)


@pytest.mark.parametrize("pose", POSES)
def test_linear_blending_stays_near_the_renderer(avatar: Avatar, file: File, pose: str) -> None:
    q = posture(avatar, pose, seed=1)
    local = local_frames(avatar, file, bones_world(avatar, body_transforms(avatar.tree, q)))
    apart = np.concatenate(
        [
            1000 * np.linalg.norm(file.skinned(primitive, local) - surface.vertices_world, axis=1)
            for primitive, surface in zip(file.primitives, pose_avatar(avatar, q).surfaces)
        ]
    )
    assert np.percentile(apart, 50) < 5 and np.percentile(apart, 95) < 30 and apart.max() < 120


def test_fingers_bend_as_in_the_renderer(avatar: Avatar, file: File) -> None:
    bends = np.random.default_rng(3).uniform(0, 1.2, (2, 5, 3))
    q = avatar.rig.coordinates
    frames = bones_world(avatar, avatar.rig.body2world, bends)
    moved = file.skinned(file.primitives[0], local_frames(avatar, file, frames))
    wanted = pose_avatar(avatar, q, bends).surfaces[0].vertices_world
    rest = pose_avatar(avatar, q).surfaces[0].vertices_world
    apart_mm = 1000 * np.linalg.norm(moved - wanted, axis=1)
    bent_mm = 1000 * np.linalg.norm(wanted - rest, axis=1)
    assert bent_mm.max() > 30 and (bent_mm > 5).sum() > 500
    # The renderer smooths the skin afterwards, and mends its longest edges.
    assert apart_mm[bent_mm > 5].mean() < 0.5 and apart_mm.max() < 10


def test_keypoints_can_be_found_from_the_bones(avatar: Avatar, file: File) -> None:
    about = file.json["scenes"][0]["extras"]["spinetrack_synth"]
    assert about["subject"]["subject_id"] == "s7-001"
    assert [point["name"] for point in about["keypoints"]] == list(NAMES)
    q = posture(avatar, POSES[0])
    world = file.nodes_world(
        local_frames(avatar, file, bones_world(avatar, body_transforms(avatar.tree, q)))
    )
    found = [
        (world[file.node(point["body"])] @ [*point["offset_m"], 1])[:3]
        for point in about["keypoints"]
    ]
    markers = marker_positions(avatar.tree, q)
    wanted = [markers[avatar.tree.marker_index[name]] for name in NAMES]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def walk(avatar: Avatar) -> Performance:
    """Two seconds at 10 frames a second, a leg lifted; the heading passes half a turn."""
    tree = avatar.tree
    times_s = np.arange(21) / 10
    z = np.tile(tree.default_coordinates[tree.free_index], (len(times_s), 1))
    wave = 1 - np.cos(np.pi * times_s)
    for name, amount in (("hip_flexion_r", 0.5), ("knee_angle_r", 0.6), ("pelvis_tx", 0.3)):
        z[:, tree.free.index(name)] += amount * wave
    heading = np.linspace(2.8, 3.6, len(times_s))
    z[:, tree.free.index("pelvis_rotation")] = np.where(
        heading > np.pi, heading - 2 * np.pi, heading
    )
    return Performance("walk", times_s, np.array([all_coordinates(tree, row) for row in z]))


def test_a_motion_plays_as_it_was_recorded(avatar: Avatar) -> None:
    clip = perform(avatar, walk(avatar), fps=20)
    file = File.of(avatar_glb(avatar, clip))
    np.testing.assert_allclose(file.times_s(), np.arange(41) / 20, atol=1e-6)
    for frame in (0, 13, 40):
        world = file.nodes_world(file.animated(frame))
        joints = file.json["skins"][0]["joints"]
        np.testing.assert_allclose(world[joints], clip.bones_world[frame], atol=1e-5)
    # No bone whirls where an angle passes half a turn.
    turns = clip.bones_world[:, 0, :3, :3]
    steps = np.arccos(np.clip((np.einsum("fij,fij->f", turns[1:], turns[:-1]) - 1) / 2, -1, 1))
    assert steps.max() < 0.1


def test_the_lowest_foot_of_a_motion_is_on_the_floor(avatar: Avatar) -> None:
    clip = perform(avatar, walk(avatar), fps=10)
    pelvis = avatar.tree.bodies.index("pelvis")
    q = walk(avatar).coordinates[10]
    rise = clip.bones_world[10, pelvis, 1, 3] - body_transforms(avatar.tree, q)[pelvis, 1, 3]
    lowest = min(pose_skin(avatar, row)[:, 1].min() for row in walk(avatar).coordinates)
    assert abs(lowest + rise) < 1e-6


def test_trimesh_reads_it(avatar: Avatar) -> None:
    trimesh = pytest.importorskip("trimesh", reason="pip install trimesh")
    scene = trimesh.load(io.BytesIO(avatar_glb(avatar)), file_type="glb")
    rest = pose_avatar(avatar, avatar.rig.coordinates)
    assert len(scene.geometry) == len(rest.surfaces)
    points = np.concatenate([surface.vertices_world for surface in rest.surfaces])
    np.testing.assert_allclose(scene.bounds, [points.min(0), points.max(0)], atol=1e-5)
    assert abs(np.ptp(rest.skin_world[:, 1]) - avatar.subject.stature_m) < 1e-3
