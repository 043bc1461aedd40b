"""The fit of the body to 2D points: reprojection, displaced points, swaps, poor input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.anatomy.fit2d.body import column_names
from spinetrack_synth.anatomy.fit2d.people import (
    FitModel,
    Sightings,
    fit_people,
    make_fit_model,
)
from spinetrack_synth.anatomy.fit2d.solver import (
    cost_of,
    descend,
    linearise,
    place,
    workspace,
)
from spinetrack_synth.anatomy.fit2d.starts import mirror_of
from spinetrack_synth.anatomy.fit2d.swaps import SWAPS, exchanged, try_swaps
from spinetrack_synth.anatomy.kinematics import all_coordinates, coordinates_from, marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.camera import look_at
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.skeleton import INDEX, MIRROR, NAMES

WIDTH, HEIGHT = 1280, 960


@pytest.fixture(scope="module")
def model(coupled: Tree) -> FitModel:
    return make_fit_model(coupled, [pose_coordinates(coupled, p) for p in library("yoga").values()])


def sighted(tree: Tree, postures: list[np.ndarray], seed: int = 0) -> Sightings:
    """The unscaled model in postures q, each seen from a random side."""
    rng = np.random.default_rng(seed)
    order = [tree.marker_index[name] for name in NAMES]
    points = []
    for q in postures:
        world = marker_positions(tree, q)[order]
        middle = (world.min(0) + world.max(0)) / 2
        azimuth = rng.uniform(0, 2 * np.pi)
        away = [4 * np.cos(azimuth), rng.uniform(-0.5, 1.0), 4 * np.sin(azimuth)]
        position = middle + np.array(away)
        camera = look_at(position, middle, focal_px=1200, width=WIDTH, height=HEIGHT)
        points.append(camera.project(world))
    count = len(postures)
    return Sightings(
        np.array(points), np.ones((count, len(NAMES)), bool), np.full(count, 1200.0),
        np.tile([WIDTH / 2, HEIGHT / 2], (count, 1)), np.ones(count, bool),
    )  # fmt: skip


@pytest.fixture(scope="module")
def yoga(coupled: Tree) -> Sightings:
    """Every pose of the library."""
    return sighted(coupled, [pose_coordinates(coupled, pose) for pose in library("yoga").values()])


def standing(tree: Tree) -> np.ndarray:
    degrees = {"arm_add_r": -40, "arm_add_l": -60, "elbow_flex_r": 50, "knee_angle_l": 40,
               "hip_flexion_l": 35, "lumbar_bending": 8}  # fmt: skip
    return coordinates_from(tree, {name: np.radians(value) for name, value in degrees.items()})


def test_the_fitted_body_is_the_model(coupled: Tree, model: FitModel):
    # Points of the flattened body at scale 1 are the model's, where it does not have its own table.
    names = column_names(coupled)
    q = standing(coupled)
    x = np.ones(len(names))
    for k, name in enumerate(names):
        if name in coupled.coordinate_index:
            x[k] = q[coupled.coordinate_index[name]]
    x[model.body.focal :] = 0.0
    work = workspace(model.body)
    place(model.body, x, np.eye(3), work, False)
    placed = work.points - work.origin[0]
    pelvis = coordinates_from(coupled, {})[: len(q)] * 0
    for name in coupled.coordinates:
        if not name.startswith("pelvis_"):
            pelvis[coupled.coordinate_index[name]] = q[coupled.coordinate_index[name]]
    world = marker_positions(coupled, pelvis)
    for name in ("left_ankle", "right_wrist", "neck", "spine_03", "neck_03", "left_clavicle"):
        expected = world[coupled.marker_index[name]]
        assert np.allclose(placed[INDEX[name]], expected, atol=1e-9), name


def test_jacobian_is_the_derivative(coupled: Tree, model: FitModel):
    body = model.body
    rng = np.random.default_rng(1)
    x = body.mean + rng.normal(0, 0.1, len(body.mean))
    x[body.root : body.root + 3] = 0
    x[body.root + 3 :] = [0.1, -0.05, np.log(4.0)]
    root = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])
    seen = np.ones((len(NAMES), 3))
    work = workspace(body)

    def pixels(x: np.ndarray, root: np.ndarray) -> np.ndarray:
        place(body, x, root, work, False)
        return 1000 * np.exp(x[body.focal]) * work.points[:, :2] / work.points[:, 2:]

    place(body, x, root, work, True)
    variance = np.ones(len(NAMES))
    cost_of(body, x, 1000.0, seen, variance, 3.0, work)
    linearise(body, x, 1000.0, False, seen, work)
    jacobian = work.jacobian.copy()
    step = 1e-6
    for k in range(len(x)):
        sides = []
        for sign in (1, -1):
            moved, turned = x.copy(), root
            if body.root <= k < body.root + 3:
                axis = np.zeros(3)
                axis[k - body.root] = sign * step
                turned = (np.eye(3) + np.cross(axis, np.eye(3)).T) @ root
            else:
                moved[k] += sign * step
            sides.append(pixels(moved, turned))
        assert np.allclose((sides[0] - sides[1]) / (2 * step), jacobian[:, :, k], atol=2e-2), k


def test_every_pose_of_the_library_is_recovered(model: FitModel, yoga: Sightings):
    # Nearly exact labels of joint centres: what is left is what priors and soft limits pull.
    fits = fit_people(model, yoga, noise=0.005)
    assert fits.fitted.all()
    inner = [k for k in range(len(NAMES)) if model.body.marker_variance[k] <= 0.002**2]
    assert len(inner) >= 15
    off = np.linalg.norm(fits.projected_px - yoga.points_px, axis=2) / fits.torso_px[:, None]
    reprojection = np.sqrt((off[:, inner] ** 2).mean(axis=1))
    assert np.percentile(reprojection, 97) < 0.005
    assert reprojection.max() < 0.01


def test_a_displaced_spine_point_is_found_and_named(model: FitModel, yoga: Sightings):
    points = yoga.points_px.copy()
    size = fit_people(model, yoga).torso_px
    wrong = INDEX["spine_03"]
    points[:, wrong, 0] += 0.12 * size
    fits = fit_people(model, replace(yoga, points_px=points))
    assert fits.dropped[:, wrong].mean() > 0.95
    assert (np.nanargmax(fits.surprise, axis=1) == wrong).mean() > 0.95
    off = np.linalg.norm(fits.off_px[:, wrong], axis=1) / fits.torso_px
    assert 0.08 < np.median(off) < 0.16


@pytest.mark.parametrize("limb", ["hips", "knees", "elbows and wrists", "lower legs"])
def test_an_exchanged_limb_is_found(coupled: Tree, model: FitModel, limb: str):
    people = sighted(coupled, [standing(coupled)])
    swap = list(SWAPS).index(limb)
    wrong = exchanged(people, [swap])
    fits = fit_people(model, wrong)
    swapped = try_swaps(model, wrong, fits)
    assert swapped.swap[0] == swap
    assert swapped.gain[0] > 10
    assert np.array_equal(exchanged(wrong, swapped.swap).points_px, people.points_px)


def test_right_labels_gain_nothing_by_an_exchange(coupled: Tree, model: FitModel):
    people = sighted(coupled, [standing(coupled)] * 4)
    swapped = try_swaps(model, people, fit_people(model, people))
    everything = swapped.swap == list(SWAPS).index("everything")
    # The mirror image of a whole person fits about as well, seen from afar.
    assert np.all(swapped.gain < np.where(everything, 40, 2))


@pytest.mark.parametrize("keypoints", [17, 26])
def test_smaller_keypoint_sets(model: FitModel, yoga: Sightings, keypoints: int):
    visible = yoga.visible.copy()
    visible[:, keypoints:] = False
    fits = fit_people(model, replace(yoga, visible=visible))
    assert fits.fitted.all()
    assert np.isnan(fits.surprise[:, keypoints:]).all()
    off = np.linalg.norm(fits.projected_px - yoga.points_px, axis=2) / fits.torso_px[:, None]
    assert np.median(off[:, :keypoints]) < 0.01


def test_missing_points_are_ignored(model: FitModel, yoga: Sightings):
    visible = np.random.default_rng(2).uniform(size=yoga.visible.shape) < 0.6
    garbage = np.where(visible[:, :, None], yoga.points_px, np.nan)
    zeros = np.where(visible[:, :, None], yoga.points_px, 0.0)
    first = fit_people(model, replace(yoga, points_px=garbage, visible=visible))
    second = fit_people(model, replace(yoga, points_px=zeros, visible=visible))
    assert first.fitted.all()
    assert np.array_equal(first.projected_px, second.projected_px)
    assert (first.dropped.sum(axis=1) > 0).mean() < 0.05


def test_mirrored_input_gives_the_mirrored_fit(coupled: Tree, model: FitModel, yoga: Sightings):
    points = yoga.points_px[:, list(MIRROR)] * [-1, 1] + [WIDTH, 0]
    one = fit_people(model, yoga)
    other = fit_people(model, replace(yoga, points_px=points))
    mirrored = other.projected_px[:, list(MIRROR)] * [-1, 1] + [WIDTH, 0]
    apart = np.linalg.norm(mirrored - one.projected_px, axis=2).max(axis=1) / one.torso_px
    assert np.median(apart) < 1e-3
    # Equal scores may begin in another order: then both fits must be as good.
    assert np.allclose(one.cost, other.cost, rtol=0.1, atol=2.0)
    twin, sign = mirror_of(column_names(coupled))
    same = apart < 1e-4
    assert np.allclose(other.columns[same][:, twin] * sign, one.columns[same], atol=0.05)


def test_twice_the_same(model: FitModel, yoga: Sightings):
    one, other = (fit_people(model, yoga, threads=threads) for threads in (1, 2))
    for first, second in zip(one, other):
        assert np.array_equal(first, second, equal_nan=True)


def test_people_do_not_depend_on_each_other(model: FitModel, yoga: Sightings):
    alone = fit_people(model, yoga.some([7]))
    among = fit_people(model, yoga)
    assert np.array_equal(alone.projected_px[0], among.projected_px[7])


def test_progress_ends_at_the_whole(model: FitModel, yoga: Sightings):
    told: list[tuple[int, int]] = []
    fit_people(model, yoga, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (len(yoga.visible),) * 2


DEGENERATE = {
    "all at one place": np.full((37, 2), 300.0),
    "not a number": np.full((37, 2), np.nan),
    "infinite": np.full((37, 2), np.inf),
    "huge": np.full((37, 2), 1e300) * np.linspace(-1, 1, 74).reshape(37, 2),
    "two points": np.where(np.arange(37)[:, None] < 2, [[100.0, 200.0]], np.nan)
    + np.arange(37)[:, None],
}


@pytest.mark.parametrize("points", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_input_is_not_fitted(model: FitModel, yoga: Sightings, points: np.ndarray):
    people = yoga.some([0, 1, 2])
    mixed = people.points_px.copy()
    mixed[1] = points
    fits = fit_people(model, replace(people, points_px=mixed))
    assert fits.fitted.tolist() == [True, False, True]
    assert np.isnan(fits.cost[1])
    assert np.isnan(fits.projected_px[1]).all()


@pytest.mark.parametrize("focal", [0.0, -1.0, np.nan, np.inf])
def test_impossible_camera_is_not_fitted(model: FitModel, yoga: Sightings, focal: float):
    people = yoga.some([0])
    assert not fit_people(model, replace(people, focal_px=np.array([focal]))).fitted[0]


def test_any_cloud_of_points_ends(model: FitModel):
    rng = np.random.default_rng(4)
    points = rng.normal(0, 1, (40, 37, 2)) * 10.0 ** rng.uniform(-6, 6, (40, 1, 1))
    points[:10, :, 1] = 0.0  # on a line
    people = Sightings(
        points, rng.uniform(size=(40, 37)) < 0.7, np.full(40, 1000.0), np.zeros((40, 2)),
        np.zeros(40, bool),
    )  # fmt: skip
    fits = fit_people(model, people)
    assert np.isfinite(fits.cost[fits.fitted]).all()
    assert np.isfinite(fits.projected_px[fits.fitted]).all()
    try_swaps(model, people, fits)


def test_nobody(model: FitModel, yoga: Sightings):
    nobody = yoga.some(np.zeros(0, dtype=int))
    fits = fit_people(model, nobody)
    assert len(fits.cost) == 0
    assert len(try_swaps(model, nobody, fits).swap) == 0


def test_descent_never_climbs(coupled: Tree, model: FitModel, yoga: Sightings):
    body, work = model.body, workspace(model.body)
    seen = np.concatenate([yoga.points_px[0] - [WIDTH / 2, HEIGHT / 2], np.ones((37, 1))], axis=1)
    x, root = body.mean.copy(), np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])
    x[body.root :] = [0, 0, 0, 0, 0, np.log(4.0)]
    variance = np.full(37, 4.0)
    costs = [
        descend(body, x, root, 1200.0, True, seen, variance, 3.0, 3, 0.0, work) for _ in range(10)
    ]
    assert all(later <= earlier for earlier, later in zip(costs, costs[1:]))
    assert np.allclose(root @ root.T, np.eye(3), atol=1e-9)


def test_coordinates_of_the_fit_are_the_models(coupled: Tree):
    names = [name for name in column_names(coupled) if name in coupled.coordinate_index]
    assert set(names) < set(coupled.free)
    assert len(all_coordinates(coupled, np.zeros(len(coupled.free)))) == len(coupled.coordinates)
