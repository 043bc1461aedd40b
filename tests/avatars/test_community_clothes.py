"""Assets of the user's on our people: where they lie, what they cover, what becomes of ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from community_assets import write_asset
from scipy.spatial import KDTree

from spinetrack_synth.avatars.body import MAKEHUMAN2WORLD, at_rest, sample_subject
from spinetrack_synth.avatars.community_clothes import (
    Chosen,
    asset_part,
    choose_assets,
    fittings,
    lift_m,
    suits,
)
from spinetrack_synth.avatars.cuts import Cut, Neckline
from spinetrack_synth.avatars.making import redress, undressed_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.community import read_folder
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates


@pytest.fixture(scope="module")
def folder(body_data, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("assets")
    write_asset(root / "suit", body_data, "suit", legs=True)
    write_asset(root / "vest", body_data, "vest", legs=False)
    return root


@pytest.fixture(scope="module")
def worn(folder):
    return read_folder(f"{folder}:1")


@pytest.fixture(scope="module")
def person(body_data):
    """Somebody before dressing."""
    return undressed_avatar(sample_subject(3, 1))


def mesh_points(path: Path) -> np.ndarray:
    """The vertices of an .obj, decimetres."""
    lines = [line.split()[1:] for line in path.read_text().splitlines() if line.startswith("v ")]
    return np.array(lines, float)


def test_on_the_base_mesh_an_asset_lies_where_it_was_made(body_data, worn, folder):
    for wearable in worn.wearables:
        fitting = fittings(body_data, wearable)
        for scale in (1.0, 1.3):  # decimetres to metres, and a larger body
            rest = at_rest(body_data, 0.1 * scale * body_data.vertices @ MAKEHUMAN2WORLD.T)
            placed = fitting.stencil @ rest.vertices_world + lift_m(fitting, rest.vertices_world)
            made = mesh_points(wearable.fit.mesh)[fitting.row]
            x, y, z = (0.1 * scale * made).T
            np.testing.assert_allclose(placed, np.stack([z, y, -x], axis=1), atol=2e-5)


def test_kinds_follow_from_what_is_covered(body_data, worn):
    kinds = {w.fit.name: fittings(body_data, w).kind for w in worn.wearables}
    assert kinds == {"suit": "whole", "vest": "top"}
    assert not any(fittings(body_data, w).shod for w in worn.wearables)


def test_what_is_for_whom():
    man = replace(sample_subject(0, 0), sex="male", age_years=70.0, ancestry=(0.1, 0.8, 0.1))
    assert suits("clothes/coat/coat.mhclo", frozenset(), man)
    assert not suits("clothes/female_casualsuit01.mhclo", frozenset(), man)
    assert suits("old_asian_male.mhmat", frozenset(), man)
    assert not suits("young_asian_male.mhmat", frozenset(), man)
    assert not suits("old_african_male.mhmat", frozenset(), man)
    assert not suits("x.mhclo", frozenset({"female"}), man)


def test_nobody_is_left_bare_and_nothing_is_worn_twice(body_data, worn):
    suit, vest = (fittings(body_data, w) for w in worn.wearables)
    tee = Cut("t-shirt", hem=0.1, neck=Neckline(0.08, 0.05, 0.02), sleeve=0.4)
    legs = Cut("leggings", waist=0.4, leg=1.9)
    unitard = Cut("unitard", leg=1.9, neck=Neckline(0.08, 0.05, 0.02))
    assert Chosen().beside((tee, legs), ()) == (tee, legs)
    assert Chosen((suit,)).beside((legs, tee), (legs, tee)) == ()
    assert Chosen((vest,)).beside((legs, tee), (tee,)) == (legs,)
    assert Chosen((vest,)).beside((unitard,), (tee, legs)) == (legs,)


def test_a_share_of_the_people_wears_assets(body_data, worn):
    subjects = [sample_subject(3, k) for k in range(60)]
    some = replace(worn, share=0.4)
    wearing = [bool(choose_assets(body_data, some, s, 2).fittings) for s in subjects]
    assert 0.2 < np.mean(wearing) < 0.6
    again = [bool(choose_assets(body_data, some, s, 2).fittings) for s in subjects]
    assert wearing == again
    assert all(choose_assets(body_data, worn, s, 2).fittings for s in subjects)


@pytest.mark.slow
def test_assets_cover_the_skin_in_any_pose(body_data, worn, person):
    dressed = redress(person, 5, worn=worn)
    names = [part.name for part in dressed.parts]
    assert sum(bool(part.asset) for part in dressed.parts) >= 1
    assert "suit/suit" in names or "vest/vest" in names
    suit = next(w for w in worn.wearables if w.fit.name == "suit")
    part = asset_part(fittings(body_data, suit), dressed.looks.rest)
    only = replace(dressed, parts=(part,))
    skin_faces = dressed.skin_faces[:, [0, 1, 2]]
    rest = pose_avatar(only, only.rig.coordinates)
    _, near = KDTree(rest.skin_world).query(rest.surfaces[0].vertices_world)
    for name in ("virabhadrasana_2", "malasana", "uttanasana"):
        posed = pose_avatar(only, pose_coordinates(only.tree, library("yoga")[name]))
        placed = posed.surfaces[0].vertices_world
        skin = posed.skin_world.astype(float)
        normals = vertex_normals(skin, skin_faces, np.arange(len(skin)))
        outside = np.einsum("ij,ij->i", placed - skin[near], normals[near])
        # In the folds of groin and knees cloth lies between skin and skin.
        assert np.quantile(outside, 0.05) > 0.0 and np.median(outside) > 0.01
        assert np.quantile(np.linalg.norm(placed - skin[near], axis=1), 0.99) < 0.06
    assert posed.assets == ("suit/suit.mhclo",)


@pytest.mark.slow
def test_a_person_turned_around_takes_the_clothes_along(worn, person):
    avatar = redress(person, 5, worn=worn)
    q = avatar.rig.coordinates.copy()
    one = pose_avatar(avatar, q)
    turned = q.copy()
    turned[list(avatar.tree.coordinates).index("pelvis_rotation")] += 1.0
    other = pose_avatar(avatar, turned)
    k = next(k for k, part in enumerate(avatar.parts) if part.lift_world is not None)
    a, b = (p.surfaces[k].vertices_world - p.skin_world.mean(axis=0) for p in (one, other))
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1), atol=1e-4)
    assert np.abs(a - b).max() > 0.1


@pytest.mark.slow
def test_skin_that_an_asset_covers_is_left_out(worn, person):
    bare, dressed = redress(person, 5), redress(person, 5, worn=worn)
    deleted = np.flatnonzero(worn.wearables[0].fit.deleted)
    left = {}
    for name, avatar in (("bare", bare), ("dressed", dressed)):
        (skin,) = (part for part in avatar.parts if part.name == "skin")
        corners = skin.stencil.indices[skin.faces]
        left[name] = int(np.isin(corners, deleted).all(axis=1).sum())
    assert len(deleted) == 12 and left["dressed"] == 0
