"""A picture against the shot before, and against another of the same shot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ball_engine import papered
from fakes import BallRenderer, ball_person, ball_shot

from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.rendering.unreal.resemblance import check_new, check_settled, impression
from spinetrack_synth.shot import Frame

cv2 = pytest.importorskip("cv2")


def drawn(pattern: int, **coordinates: float) -> Frame:
    """Somebody before a wall with this pattern."""
    frame = BallRenderer().render(ball_shot(ball_person("ada", **coordinates), size=(240, 180)))
    return replace(frame, rgb=papered(frame.rgb, frame.ids, pattern))


@pytest.fixture(scope="module")
def before() -> Frame:
    return drawn(1, pelvis_tz=-0.5, arm_flex_l=2.0)


@pytest.fixture(scope="module")
def now() -> Frame:
    """The same place and camera."""
    return drawn(1, pelvis_tz=0.1)


def seen(rgb: np.ndarray, frame: Frame):
    return impression(rgb, frame.ids, frame.depth_m)


def noisy(rgb: np.ndarray, level: float = 4.0, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, level, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


WAYS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "as it was": ("", lambda p: p),
    "with noise of a grey level": ("", lambda p: noisy(p, 1.0)),
    "dark, soft and noisy": ("", lambda p: noisy(cv2.GaussianBlur(p, (0, 0), 1.0) // 3, 2.0)),
    "mirrored": (", mirrored", lambda p: noisy(p[:, ::-1])),
    "upside down": (", upside down", lambda p: noisy(p[::-1])),
    "turned": (", turned around", lambda p: noisy(p[::-1, ::-1])),
}


@pytest.mark.parametrize("how", WAYS)
def test_the_shot_before_is_refused_by_name(before: Frame, now: Frame, how: str) -> None:
    told, change = WAYS[how]
    with pytest.raises(WrongPicture, match=f"lit: shows the shot before{told}(,| \\()"):
        check_new(seen(change(before.rgb), now), seen(before.rgb, before))


def test_half_of_each_is_refused(before: Frame) -> None:
    elsewhere = drawn(2, pelvis_tz=0.5)
    mixed = (before.rgb // 2 + elsewhere.rgb // 2).astype(np.uint8)
    with pytest.raises(WrongPicture, match="shows the shot before"):
        check_new(seen(mixed, elsewhere), seen(before.rgb, before))


def walled(frame: Frame, depth_m: float) -> Frame:
    """With a wall so far away."""
    return replace(frame, depth_m=np.minimum(frame.depth_m, np.float32(depth_m)))


@pytest.mark.parametrize("old", [slice(0, 90), slice(90, 180), slice(60, 120)])
def test_a_part_of_the_shot_before_is_refused(before: Frame, old: slice) -> None:
    before, elsewhere = walled(before, 8), walled(drawn(2, pelvis_tz=0.5), 6)
    mixed = elsewhere.rgb.copy()
    mixed[old] = before.rgb[old]
    with pytest.raises(WrongPicture, match=r"shows the shot before( in part)? \("):
        check_new(seen(noisy(mixed), elsewhere), seen(before.rgb, before))
    check_new(seen(noisy(elsewhere.rgb), elsewhere), seen(before.rgb, before))


def test_a_camera_that_stays_and_a_shot_drawn_twice_pass(before: Frame, now: Frame) -> None:
    check_new(seen(noisy(now.rgb), now), seen(before.rgb, before))
    check_new(seen(before.rgb, before), seen(before.rgb, before))
    check_new(seen(noisy(before.rgb), before), seen(before.rgb, before))


def test_another_place_passes(before: Frame) -> None:
    elsewhere = drawn(2, pelvis_tz=0.5)
    check_new(seen(elsewhere.rgb, elsewhere), seen(before.rgb, before))


def test_a_picture_of_another_size_is_another_picture(before: Frame, now: Frame) -> None:
    check_new(seen(now.rgb, now), impression(*(a[:100] for a in (
        before.rgb, before.ids, before.depth_m))))  # fmt: skip


def test_a_tiny_picture_that_comes_again_to_the_pixel() -> None:
    frames = [
        BallRenderer().render(
            ball_shot(ball_person("ada", pelvis_tz=z), size=(32, 32), focal_px=30)
        )
        for z in (-0.3, 0.3)
    ]
    with pytest.raises(WrongPicture, match="to the pixel"):
        check_new(seen(frames[0].rgb, frames[1]), seen(frames[0].rgb, frames[0]))


def test_two_pictures_of_a_shot_agree_but_for_noise(now: Frame) -> None:
    check_settled(noisy(now.rgb, seed=1), noisy(now.rgb, seed=2))
    check_settled(noisy(now.rgb // 6, seed=1), noisy(now.rgb // 6, seed=2))
    check_settled(now.rgb, (now.rgb * 0.8).astype(np.uint8))


def test_a_picture_that_still_changes_is_refused(now: Frame) -> None:
    other = drawn(2, pelvis_tz=0.5)
    half = np.concatenate([other.rgb[:90], now.rgb[90:]])
    for earlier in (other.rgb, half):
        with pytest.raises(WrongPicture, match="lit: still changes"):
            check_settled(noisy(earlier), noisy(now.rgb, seed=2))
