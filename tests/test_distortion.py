"""Lens distortion against OpenCV and against itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.distortion import Distortion

FOCAL_PX = 420.0
PLAIN = look_at([4.0, 1.5, 0.5], [0.0, 1.0, 0.0], focal_px=FOCAL_PX, width=640, height=480)

LENSES = (
    Distortion(k1=-0.12),
    Distortion(k1=0.2, k2=0.05),
    Distortion(k1=-0.28, k2=0.09, p1=6e-4, p2=-4e-4, k3=-0.012),  # a wide webcam
    Distortion(k1=0.08, k2=-0.1, p1=-2e-3, p2=3e-3, k3=0.02),
)


def lens_of(camera: Camera) -> np.ndarray:
    assert camera.distortion is not None
    return np.array(camera.distortion.coefficients)


@pytest.mark.parametrize("distortion", LENSES)
def test_projections_are_those_of_opencv(distortion: Distortion) -> None:
    cv2 = pytest.importorskip("cv2")
    camera = replace(PLAIN, distortion=distortion)
    points = np.random.default_rng(1).uniform([-2, 0, -1.5], [2, 2, 1.5], (400, 3))
    turn, _ = cv2.Rodrigues(camera.world2cam[:3, :3])
    shift = camera.world2cam[:3, 3]
    theirs, _ = cv2.projectPoints(points, turn, shift, camera.K, lens_of(camera))
    np.testing.assert_allclose(camera.project(points), theirs.reshape(-1, 2), atol=1e-8)
    assert np.abs(camera.project(points) - PLAIN.project(points)).max() > 3


@pytest.mark.parametrize("distortion", LENSES)
def test_rays_are_those_of_opencv(distortion: Distortion) -> None:
    cv2 = pytest.importorskip("cv2")
    camera = replace(PLAIN, distortion=distortion)
    x, y = np.meshgrid(np.linspace(0, 640, 33), np.linspace(0, 480, 25))
    pixels = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-12)
    theirs = cv2.undistortPoints(pixels, camera.K, lens_of(camera), criteria=until)
    ours = camera.rays(pixels[:, 0])[:, :2]
    assert FOCAL_PX * np.abs(ours - theirs.reshape(-1, 2)).max() < 1e-6


@given(
    st.floats(-0.3, 0.3), st.floats(-0.1, 0.1), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01),
    st.floats(-0.05, 0.05), st.tuples(st.floats(0, 640), st.floats(0, 480)), st.floats(0.5, 20),
)  # fmt: skip
def test_unprojecting_undoes_projecting(k1, k2, p1, p2, k3, pixel, depth) -> None:
    try:
        camera = replace(PLAIN, distortion=Distortion(k1, k2, p1, p2, k3))
    except ValueError:
        return  # folds in the picture, told below
    point = camera.unproject(pixel, depth)
    np.testing.assert_allclose(camera.to_camera(point)[2], depth, rtol=1e-12)
    np.testing.assert_allclose(camera.project(point), pixel, atol=1e-6)


def test_beyond_its_fold_the_model_shows_nothing() -> None:
    bent = Distortion(k1=-0.12)
    assert bent.farthest == pytest.approx(np.sqrt(1 / 0.36))
    radius = np.linspace(0, 4, 4001)
    landed = bent.distort(np.stack([radius, 0 * radius], axis=-1))[:, 0]
    seen = radius < bent.farthest
    assert np.isfinite(landed[seen]).all()
    assert (np.diff(landed[seen]) > 0).all()
    assert np.isnan(landed[~seen]).all()
    # Nothing lands farther out than the fold, and no point has two origins.
    edge = landed[seen].max()
    back = bent.undistort([[edge + 1e-3, 0.0], [edge - 1e-3, 0.0]])
    assert np.isnan(back[0]).all()
    assert back[1, 0] < bent.farthest


def test_a_fold_inside_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="folds inside the picture"):
        replace(PLAIN, distortion=Distortion(k1=-0.3))
    with pytest.raises(ValueError, match="not finite"):
        Distortion(k2=np.nan)


def test_barrel_draws_in_and_pincushion_pushes_out() -> None:
    corner = np.array([0.5, -0.4])
    barrel, cushion = (Distortion(k1=k).distort(corner) for k in (-0.1, 0.1))
    assert np.linalg.norm(barrel) < np.linalg.norm(corner) < np.linalg.norm(cushion)
    np.testing.assert_allclose(np.cross([*barrel, 0], [*corner, 0]), 0, atol=1e-12)


def test_shapes_are_kept() -> None:
    camera = replace(PLAIN, distortion=LENSES[0])
    assert camera.project(np.zeros((2, 5, 3))).shape == (2, 5, 2)
    assert camera.unproject(np.ones((2, 5, 2)), np.ones((2, 5))).shape == (2, 5, 3)
    assert camera.project(np.zeros(3)).shape == (2,)
    assert camera.unproject([1.0, 2.0], 1.0).shape == (3,)
