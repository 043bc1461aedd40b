"""Crops of the cache show what inference sees, keep no more than the picture has, and are found
again by their content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import BODY, alter, found, write_set

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.crops import RAW, crop_frames, cut, to_picture
from spinetrack_synth.spinepose.image_files import read_picture
from spinetrack_synth.training.batches import whole
from spinetrack_synth.training.crops import MARGIN, CropCache, open_cache
from spinetrack_synth.training.sources import SourceConfig, read_source

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
HW = (64, 48)


def opened(path: Path, folder: Path, hw: tuple[int, int] = HW) -> CropCache:
    return open_cache(read_source(SourceConfig(path)), folder, hw)


def test_unaltered_crops_are_those_of_inference(tmp_path: Path) -> None:
    """Small people, large ones and such that reach beyond the picture; two to a picture."""
    path = write_set(tmp_path, [30, 40, 70, 90, 140, 260], per_picture=2, middle=(70.3, 61.7))
    cache = opened(path, tmp_path / "cache")
    (batch,) = whole(cache, 8)
    frames = crop_frames(cache.source.boxes_xywh, HW)
    assert frames[:, 2].min() < 1 < frames[:, 2].max()
    for row, image in enumerate(batch.images):
        picture = read_picture(cache.source.pictures[cache.source.picture[row]])
        expected = np.empty((3, *HW), np.float32)
        cut(picture, frames[row], expected, normalisation=RAW, image_order="bgr")
        apart = np.abs((image - expected.transpose(1, 2, 0)) @ [0.299, 0.587, 0.114])
        assert apart.mean() < 2, "JPEG alone, which keeps less of colours than of light"
        assert np.median(apart) <= 1
    labelled = cache.source.labelled
    back = to_picture(batch.points.astype(float), frames)
    assert np.abs(back - cache.source.points)[labelled].max() < 1e-4 * frames[:, 2].max()


def test_keypoints_lie_on_what_they_mark(tmp_path: Path) -> None:
    cache = opened(write_set(tmp_path, [60, 120]), tmp_path / "cache", (128, 96))
    (batch,) = whole(cache, 2)
    for image, points in zip(batch.images, batch.points):
        for name in BODY:
            disc = found(image, name)
            assert disc is not None
            assert np.abs(disc - points[skeleton.INDEX[name]]).max() < 1


def test_no_more_is_kept_than_the_picture_has_or_the_network_sees(tmp_path: Path) -> None:
    cache = opened(
        write_set(tmp_path, [30, 400], size_wh=(600, 600), middle=(300, 300)), tmp_path / "cache"
    )
    small, large = (cache.crop(person).image for person in range(2))
    scale = cache.frames[:, 2]
    assert max(small.shape) <= MARGIN * HW[0] * scale[0] + 3
    assert max(large.shape) <= MARGIN * HW[0]
    assert scale[0] < 1 and max(small.shape) < max(large.shape)


def test_the_mask_lies_on_the_person(tmp_path: Path) -> None:
    cache = opened(write_set(tmp_path, [60, 150]), tmp_path / "cache")
    for person in range(2):
        crop = cache.crop(person, with_mask=True)
        assert crop.mask is not None and crop.mask.shape == crop.image.shape[:2]
        grey = np.abs(crop.image.astype(int) - 120).max(-1) < 12  # the background's colour
        assert (crop.mask > 127)[grey].mean() < 0.05
        assert (crop.mask > 127)[~grey].mean() > 0.94
    assert cache.crop(0).mask is None, "not asked for"


def test_outlines_drawn_by_hand_are_masks(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60])
    exact = opened(path, tmp_path / "cache").crop(0, with_mask=True).mask
    left, top, wide, high = 79, 50, 42, 60
    outline = [left, top, left + wide, top, left + wide, top + high, left, top + high]
    alter(path, annotations=lambda old: [old[0] | {"segmentation": [outline]}])
    drawn = opened(path, tmp_path / "cache").crop(0, with_mask=True).mask
    assert exact is not None and drawn is not None
    assert (exact != drawn).mean() < 0.01


@pytest.mark.parametrize(
    "segmentation", [None, [], {"size": [9, 9], "counts": "04"}, "mask", [[1, 2]]]
)
def test_a_mask_that_is_none_is_no_mask(tmp_path: Path, segmentation: object) -> None:
    path = write_set(tmp_path, [60], segmentation=segmentation)
    assert opened(path, tmp_path / "cache").crop(0, with_mask=True).mask is None


def test_caches_are_found_by_content(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70])
    first = opened(path, tmp_path / "cache").store.folder
    alter(path, annotations=lambda old: [a | {"keypoints": old[0]["keypoints"]} for a in old])
    moved = tmp_path / "moved"
    (tmp_path / "images").rename(moved)
    (moved / "000.png").touch()
    source = read_source(SourceConfig(path, images=moved))
    assert open_cache(source, tmp_path / "cache", HW).store.folder == first, "labels may change"
    assert open_cache(source, tmp_path / "cache", (96, 64)).store.folder != first
    content = bytearray((moved / "001.png").read_bytes())
    content[-20] ^= 1  # same length
    (moved / "001.png").write_bytes(content)
    with pytest.raises(UserError):  # a checksum of PNG: it is looked at again
        open_cache(source, tmp_path / "cache", HW)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_progress_counts_people(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = read_source(SourceConfig(write_set(tmp_path, [40] * 5, per_picture=5)))
    open_cache(source, tmp_path / "cache", HW, lambda *now: told.append(now))
    assert told == [(5, 5)]


@pytest.mark.parametrize("what", ["gone", "broken", "other"])
def test_a_picture_that_is_lost_while_crops_are_made_is_named(tmp_path: Path, what: str) -> None:
    import cv2

    source = read_source(SourceConfig(write_set(tmp_path, [40] * 3)))
    lost = tmp_path / "images" / "001.png"
    if what == "gone":
        lost.unlink()
    elif what == "broken":
        lost.write_bytes(lost.read_bytes()[:60])
    else:
        cv2.imwrite(str(lost), np.zeros((50, 90, 3), np.uint8))
    with pytest.raises(UserError, match=r"001\.png: ") as told:
        open_cache(source, tmp_path / "cache", HW)
    assert "\n" not in str(told.value)


def test_pictures_may_go_once_the_crops_are_made(tmp_path: Path) -> None:
    cache = opened(write_set(tmp_path, [40] * 3), tmp_path / "cache")
    for picture in cache.source.pictures:
        picture.unlink()
    assert len(next(whole(cache, 3)).images) == 3
