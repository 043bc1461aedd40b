"""Augmentation moves picture and keypoints together, and everything in it happens as often as it
is told to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import BODY, found, write_set

from spinetrack_synth import skeleton
from spinetrack_synth.spinepose.simcc import SPLIT, decode, mirrored
from spinetrack_synth.training.augmentation import (
    LOWER,
    PROBABILITIES,
    AugmentationConfig,
    View,
    altered,
    random_view,
    warped,
)
from spinetrack_synth.training.batches import Batches
from spinetrack_synth.training.crops import MARGIN, CropCache, open_cache
from spinetrack_synth.training.sources import SourceConfig, read_source

cv2 = pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")

HW = (128, 96)
NOTHING = AugmentationConfig(**dict.fromkeys(PROBABILITIES, 0.0))
MOVES = ("mirror", "rotation", "scale", "shift", "half_body")
LOOKS = ("colour", "grey", "blur", "noise", "jpeg", "low_resolution", "cut_out")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> CropCache:
    folder = tmp_path_factory.mktemp("augmentation")
    path = write_set(folder, [60, 90, 120], size_wh=(500, 500), middle=(250, 250))
    return open_cache(read_source(SourceConfig(path)), folder / "cache", HW)


def picture() -> np.ndarray:
    rows, columns = np.mgrid[: HW[0], : HW[1]]
    wave = 60 * np.sin(columns / 3) + 60 * np.cos(rows / 4)
    return np.stack([128 + wave, 100 + wave / 2, 150 - wave], -1).astype(np.uint8)


@pytest.mark.parametrize("move", [*MOVES, "all"])
def test_keypoints_stay_on_what_they_mark(cache: CropCache, move: str) -> None:
    """The discs are looked for in the picture: left ones are green and yellow, mirrored as well,
    when they are those of the mirror image's right."""
    config = replace(NOTHING, rotation_deg=180.0)
    config = replace(config, **dict.fromkeys(MOVES if move == "all" else [move], 1.0))
    batches = Batches([cache], [1], 12, seed=3, augmentation=config)
    checked = set()
    flipped = move in ("mirror", "all")
    for batch in map(batches.at, range(3)):
        for image, points, weight in zip(batch.images, batch.points, batch.weight):
            for name in BODY:
                place = skeleton.INDEX[name]
                shown = skeleton.NAMES[skeleton.MIRROR[place]] if flipped else name
                disc = found(image, shown)
                inside = (points[place] > 8).all() and (
                    points[place] < np.array(HW[::-1]) - 8
                ).all()
                if inside:
                    assert weight[place] == 1
                    assert disc is not None
                    assert np.abs(disc - points[place]).max() < 1.6
                    checked.add(name)
                elif not (
                    (points[place] >= -0.5) & (points[place] <= np.array(HW[::-1]) - 0.5)
                ).all():
                    assert weight[place] == 0
    assert checked == set(BODY)


def test_a_mirror_image_is_the_one_that_flip_tests_undo() -> None:
    """A bump of a network's answer on the mirrored keypoint comes back to the keypoint."""
    points = np.random.default_rng(0).uniform(5, 90, (37, 2)).round()
    seen = View(np.eye(2, 3), mirrored=True).points(points, HW[1])
    x = np.zeros((1, 37, int(SPLIT * HW[1])), np.float32)
    y = np.zeros((1, 37, int(SPLIT * HW[0])), np.float32)
    for place, (column, row) in enumerate(seen):
        x[0, place, int(SPLIT * column)] = y[0, place, int(SPLIT * row)] = 1
    back, _ = decode(*mirrored(x, y, np.array(skeleton.MIRROR)))
    np.testing.assert_array_equal(back[0], points)
    image = picture()
    flip = View(np.eye(2, 3), mirrored=True).matrix(np.eye(2, 3), HW[1])
    np.testing.assert_array_equal(warped(image, flip, HW), image[:, ::-1])


def test_the_margin_holds_what_a_default_view_shows(tmp_path: Path) -> None:
    """In a large white picture a view is white in nearly all corners, however it is turned."""
    path = write_set(tmp_path, [200], size_wh=(900, 900), middle=(450, 450), grey=255)
    white = open_cache(read_source(SourceConfig(path)), tmp_path / "cache", HW)
    assert max(white.crop(0).image.shape) == MARGIN * HW[0]
    config = replace(NOTHING, rotation=1, rotation_deg=180.0)
    batch = Batches([white], [1], 64, augmentation=config).at(0)
    assert (batch.images.max(-1) > 0).all(), "turned by any angle"
    config = replace(
        AugmentationConfig(), **dict.fromkeys((*LOOKS, "half_body", "truncation"), 0.0)
    )
    black = Batches([white], [1], 256, augmentation=config).at(0).images.max(-1) == 0
    assert black.mean() < 0.02
    assert black[:, 64, 48].sum() == 0


def test_half_bodies_are_the_upper_or_the_lower_ones(cache: CropCache) -> None:
    labelled = np.ones(37, bool)
    rng = np.random.default_rng(0)
    points = np.where(LOWER[:, None], [[40.0, 100.0]], [[50.0, 30.0]]) + rng.normal(0, 5, (37, 2))
    kept = set()
    for _ in range(20):
        view = random_view(replace(NOTHING, half_body=1), rng, points, labelled, HW)
        seen = view.points(points, HW[1])
        inside = ((seen > 0) & (seen < np.array(HW[::-1]))).all(1)
        assert inside[LOWER].all() or inside[~LOWER].all()
        assert np.linalg.norm(view.to_view[:, 0]) > 1.5
        kept.add(bool(inside[LOWER].all()))
    assert kept == {True, False}
    names = {name for name, low in zip(skeleton.NAMES, LOWER) if low}
    assert {"hip", "left_hip", "right_knee", "left_heel", "spine_01"} <= names
    assert not names & {"nose", "neck", "spine_04", "left_wrist"}
    few = random_view(replace(NOTHING, half_body=1), rng, points, labelled & (points < 0)[:, 0], HW)
    np.testing.assert_array_equal(few.to_view, np.eye(2, 3))


def test_a_truncated_person_is_black_beyond_the_frame_and_labelled_there() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform((20, 10), (76, 118), (37, 2))
    labelled, beyond, sides = np.arange(37) % 3 > 0, [], set()
    white = np.full((*HW, 3), 255, np.uint8)
    for _ in range(60):
        config = replace(NOTHING, truncation=1, rotation=1, mirror=0.5)
        view = random_view(config, rng, points, labelled, HW)
        assert view.frame is not None
        low, high = view.frame.min(0), view.frame.max(0)
        inside = ((points >= low) & (points <= high)).all(1)
        assert inside[labelled].sum() >= 4
        sides.add(tuple(np.flatnonzero([*(low > -100), *(high < 200)])))
        photo, matrix = view.framed(white), view.matrix(np.eye(2, 3), HW[1])
        seen = np.rint(points @ matrix[:, :2].T + matrix[:, 2]).astype(int)
        shown = ((seen >= 0) & (seen < HW[::-1])).all(1)
        cut = np.abs(np.stack([points - low, points - high])).min((0, 2)) < 2  # about its border
        grey = photo[seen[shown & ~cut, 1], seen[shown & ~cut, 0], 0]
        np.testing.assert_array_equal(grey == 255, inside[shown & ~cut])
        beyond.append((shown & ~inside).sum())
    assert sides == {(0,), (1,), (2,), (3,)}
    assert np.mean(beyond) > 1, "a network learns where points are that the photo does not show"
    few = random_view(replace(NOTHING, truncation=1), rng, points, np.arange(37) < 3, HW)
    np.testing.assert_array_equal(few.to_view, np.eye(2, 3))
    assert few.frame is None and few.framed(white) is white


@pytest.mark.parametrize("look", LOOKS)
def test_each_look_changes_the_picture_alone_and_as_often_as_told(look: str) -> None:
    def changed(share: float, seed: int) -> bool:
        config = replace(NOTHING, **{look: share})
        out = altered(config, np.random.default_rng(seed), picture())
        assert out.shape == picture().shape and out.dtype == np.uint8
        again = altered(config, np.random.default_rng(seed), picture())
        np.testing.assert_array_equal(out, again)
        return not np.array_equal(out, picture())

    assert not any(changed(0.0, seed) for seed in range(5))
    assert all(changed(1.0, seed) for seed in range(20))
    assert 10 < sum(changed(0.5, seed) for seed in range(40)) < 30


def test_looks_are_what_they_are_called() -> None:
    def look(seed: int = 1, **options: object) -> np.ndarray:
        config = replace(NOTHING, **options)  # type: ignore[arg-type]
        return altered(config, np.random.default_rng(seed), picture()).astype(float)

    grey = look(grey=1.0)
    assert np.abs(grey - grey.mean(-1, keepdims=True)).max() <= 1
    assert grey.std() > 10
    detail = picture().astype(float).std((0, 1)).mean()
    for options in (
        {"blur": 1.0, "blur_px": 6.0},
        {"low_resolution": 1.0, "lowest_resolution": 0.05},
    ):
        all_less = [look(seed, **options) for seed in range(10)]
        left = [less.std((0, 1)).mean() / detail for less in all_less]
        assert max(left) < 1.02 and np.median(left) < 0.85 and min(left) < 0.5
        assert all(abs(less.mean() - picture().mean()) < 6 for less in all_less)
    noise = look(noise=1.0, noise_levels=20.0) - picture()
    assert abs(noise.mean()) < 1 and 1 < noise.std() < 21
    covered = (look(cut_out=1.0, cut_out_share=(0.3, 0.3)) != picture()).any(-1).mean()
    assert 0.05 < covered < 0.3


def test_motion_blur_spreads_along_one_line() -> None:
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 255
    spreads = []
    for seed in range(20):
        config = replace(NOTHING, blur=1.0, blur_px=4.0)
        out = altered(config, np.random.default_rng(seed), dot.copy())[..., 0].astype(float)
        rows, columns = np.mgrid[:41, :41] - 20
        assert abs((out * rows).sum()) < out.sum() and abs((out * columns).sum()) < out.sum()
        moments = np.cov(np.vstack([rows.ravel(), columns.ravel()]), aweights=out.ravel() + 1e-9)
        spreads.append(np.sqrt(np.linalg.eigvalsh(moments)))
    along = np.array(spreads)
    line = along[:, 0] < 0.5 * along[:, 1]
    assert 3 < line.sum() < 17
    assert (along[:, 1] < 6).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mirror": 1.5}, "mirror is 1.5, expected 0 to 1"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"rotation_deg": 400.0}, "rotation_deg is 400.0, expected 0 to 180"),
        ({"scale_range": (1.3, 0.7)}, r"scale_range is \(1.3, 0.7\), expected first <= second"),
        ({"jpeg_quality": (0, 80)}, "jpeg_quality"),
        ({"lowest_resolution": 0.0}, "lowest_resolution"),
    ],
)
def test_values_that_mean_nothing_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AugmentationConfig(**options)  # type: ignore[arg-type]
