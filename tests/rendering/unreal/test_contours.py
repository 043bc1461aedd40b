"""Edges of a picture against mask and depth: of the right picture, and of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ball_engine import papered
from fakes import BallRenderer, ball_person, ball_shot

from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering.unreal.contours import (
    FAR_LIMIT,
    FEWEST_POINTS,
    check_contours,
    check_way_round,
    far_offsets,
    find_contours,
    match,
)
from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.shot import Frame, Shot

cv2 = pytest.importorskip("cv2")

SIZE = (480, 360)
FOCAL_PX = 450.0


def two_people(bend: float = 1.2, tx: float = -0.8, **camera) -> Shot:
    """Two people from their left: what bends at hips and shoulders is seen."""
    people = (
        ball_person("ada", pelvis_tx=tx, hip_flexion_l=bend, arm_flex_l=bend),
        ball_person("bob", pelvis_tx=0.5, pelvis_tz=-0.6, hip_flexion_r=0.9, arm_flex_r=2.4),
    )
    view = {"camera_at": (0, 1.2, -4), "target": (0, 0.9, 0)} | camera
    return ball_shot(*people, size=SIZE, focal_px=FOCAL_PX, **view)


@pytest.fixture(scope="module")
def frame() -> Frame:
    return drawn(two_people())


def drawn(shot: Shot) -> Frame:
    frame = BallRenderer().render(shot)
    return replace(frame, rgb=papered(frame.rgb, frame.ids, pattern=0))


def seen(shot: Shot) -> np.ndarray:
    return drawn(shot).rgb


def check(rgb: np.ndarray, frame: Frame) -> None:
    check_contours(match(rgb, find_contours(frame.ids, frame.depth_m)), ("ada", "bob"))


def noisy(rgb: np.ndarray, level: float = 3.0) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, level, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def soft(rgb: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(rgb, (0, 0), 1.0)


def compressed(rgb: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], 1)


def half_a_pixel_aside(rgb: np.ndarray) -> np.ndarray:
    return ((rgb.astype(int) + np.roll(rgb, 1, axis=1)) // 2).astype(np.uint8)


@pytest.mark.parametrize(
    "change",
    [noisy, soft, compressed, half_a_pixel_aside, lambda p: p // 4, lambda p: 255 - p,
     lambda p: noisy(p // 6, 1.5), lambda p: np.clip(3 * p.astype(int), 0, 255).astype(np.uint8)],
    ids=["noisy", "soft", "compressed", "half a pixel aside", "dark", "negative", "dark and noisy",
         "overexposed"],
)  # fmt: skip
def test_a_right_picture_passes_however_it_was_taken(
    frame: Frame, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    check(change(frame.rgb), frame)


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": lambda p: p[:, ::-1],
    "upside down": lambda p: p[::-1],
    "4 px aside": lambda p: np.roll(p, 4, axis=1),
    "4 px down": lambda p: np.roll(p, 4, axis=0),
    "20 px aside": lambda p: np.roll(p, 20, axis=1),
    "one of them elsewhere": lambda p: seen(two_people(tx=-0.6)),
    "a camera 5 cm aside": lambda p: seen(
        two_people(camera_at=(0.05, 1.2, -4), target=(0.05, 0.9, 0))
    ),
    "a camera turned by 2 degrees": lambda p: seen(two_people(target=(0.14, 0.9, 0))),
    "the lower half mirrored": lambda p: np.concatenate([p[:180], p[180:, ::-1]]),
    "the left half upside down": lambda p: np.concatenate([p[::-1, :240], p[:, 240:]], axis=1),
    "a field of view 10 % off": lambda p: seen(
        replace(
            two_people(),
            camera=look_at((0, 1.2, -4), (0, 0.9, 0), focal_px=495.0, width=480, height=360),
        )
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_picture_is_refused(frame: Frame, what: str) -> None:
    with pytest.raises(WrongPicture, match=r"elsewhere than in mask|px from where mask"):
        check(noisy(WRONG[what](frame.rgb)), frame)


def test_whom_it_is_about_is_named(frame: Frame) -> None:
    moved = seen(two_people(tx=-0.6))
    with pytest.raises(WrongPicture, match="lit: ada ends elsewhere"):
        check(moved, frame)


@pytest.mark.slow
def test_what_proves_nothing_is_not_refused(frame: Frame) -> None:
    rgb = frame.rgb
    check(np.full_like(rgb, 90), frame)  # nobody stands out from the background
    check(noisy(np.full_like(rgb, 90)), frame)
    check(np.full_like(rgb, 255), frame)  # overexposed
    afar = replace(
        two_people(),
        camera=look_at((0, 1.2, -60), (0, 0.9, 0), focal_px=450, width=480, height=360),
    )
    tiny = BallRenderer().render(afar)
    found = match(rgb, find_contours(tiny.ids, tiny.depth_m))
    assert tiny.ids.any() and len(found.row) < FEWEST_POINTS
    check(rgb, tiny)


def test_nobody_and_nothing() -> None:
    empty = Frame(
        rgb=np.full((60, 80, 3), 9, np.uint8),
        ids=np.zeros((60, 80), np.uint8),
        depth_m=np.full((60, 80), np.inf, np.float32),
    )
    check(empty.rgb, empty)


def test_a_slanted_floor_in_steps_of_float16_has_no_contours() -> None:
    row = np.arange(1, 201, dtype=np.float32)[:, None]
    depth_m = np.broadcast_to(400 / row, (200, 300)).astype(np.float16).astype(np.float32)
    found = find_contours(np.zeros(depth_m.shape, np.uint8), depth_m)
    assert len(found.across.row) == 0
    assert len(found.down.row) == 0


def test_things_alone_prove_it_too() -> None:
    """A room of boxes without anybody: flat grey levels by depth."""
    rng = np.random.default_rng(4)
    depth_m = np.full((240, 320), 9.0, np.float32)
    grey = np.full(depth_m.shape, 90, np.uint8)
    for _ in range(20):
        y, x = rng.integers(0, 180), rng.integers(0, 250)
        box = np.s_[y : y + 60, x : x + 70]
        depth_m[box], grey[box] = rng.uniform(2, 8), rng.integers(20, 240)
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    frame = Frame(rgb, np.zeros(depth_m.shape, np.uint8), depth_m)
    check(noisy(rgb), frame)
    with pytest.raises(
        WrongPicture, match=r"lit: (the surroundings|everything) ends? .* mask and depth"
    ):
        check(noisy(rgb[:, ::-1]), frame)


TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": lambda p: p[:, ::-1],
    "upside down": lambda p: p[::-1],
    "turned around": lambda p: p[::-1, ::-1],
}


@pytest.mark.parametrize("way", TURNS)
def test_a_turned_picture_is_told_by_the_way_it_was_turned(frame: Frame, way: str) -> None:
    contours = find_contours(frame.ids, frame.depth_m)
    rgb = noisy(TURNS[way](frame.rgb))
    with pytest.raises(WrongPicture, match=f"lit: is {way}$"):
        check_way_round(rgb, contours, match(rgb, contours))


@pytest.mark.slow
def test_neither_the_right_picture_nor_one_of_something_else_is_taken_for_turned(
    frame: Frame,
) -> None:
    contours = find_contours(frame.ids, frame.depth_m)
    for rgb in (noisy(frame.rgb), seen(two_people(bend=0.1, tx=-0.3)), np.zeros_like(frame.rgb)):
        check_way_round(rgb, contours, match(rgb, contours))


@pytest.mark.parametrize("px", [10, 20, 40])
def test_edges_far_from_their_contours_are_found_where_they_are(frame: Frame, px: int) -> None:
    contours = find_contours(frame.ids, frame.depth_m)
    everything = match(frame.rgb, contours).owner >= 0
    assert all(off < 0 for _, off, _ in far_offsets(match(frame.rgb, contours), everything))
    aside = match(np.roll(frame.rgb, px, axis=1), contours)
    judged = list(far_offsets(aside, aside.owner >= 0))
    _, off, found_px = max(judged, key=lambda place: place[1])
    assert off > FAR_LIMIT
    assert abs(found_px) == px
