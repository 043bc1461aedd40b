"""People come to stand before the user's photographs, and stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import COLOURS, found, write_set

from spinetrack_synth.errors import UserError
from spinetrack_synth.training.batches import Batches
from spinetrack_synth.training.crops import CropCache, open_cache
from spinetrack_synth.training.exchange import (
    BackgroundConfig,
    Backgrounds,
    open_backgrounds,
    photos_of,
    shows_enough,
)
from spinetrack_synth.training.sources import SourceConfig, read_source

cv2 = pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
HW = (96, 72)
BLUE, ORANGE = (200, 90, 20), (30, 140, 230)
"""BGR."""


def photos(
    folder: Path, *colours: tuple[int, int, int], size_wh: tuple[int, int] = (300, 200)
) -> Path:
    folder.mkdir(exist_ok=True)
    for number, colour in enumerate(colours):
        picture = np.full((size_wh[1], size_wh[0], 3), colour, np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def backgrounds(tmp_path: Path, *colours: tuple[int, int, int], **options: float) -> Backgrounds:
    config = BackgroundConfig(photos(tmp_path / "photos", *colours), **options)
    return open_backgrounds(config, photos_of(config), tmp_path / "cache", HW)


def people(tmp_path: Path, **options: object) -> CropCache:
    path = write_set(tmp_path, [80] * 4, size_wh=(300, 300), middle=(150, 150))
    source = read_source(SourceConfig(path, **options))  # type: ignore[arg-type]
    return open_cache(source, tmp_path / "cache", HW)


def test_the_background_is_another_and_the_person_the_same(tmp_path: Path) -> None:
    cache = people(tmp_path)
    behind = backgrounds(tmp_path, BLUE, ORANGE, probability=1.0, match_colour=0.0)
    before = Batches([cache], [1], 16).at(0)
    after = Batches([cache], [1], 16, backgrounds=behind).at(0)
    seen = set()
    for row in range(16):
        mask = cache.crop(int(after.person[row]), with_mask=True)
        person = cv2.warpAffine(mask.mask, mask.to_network, HW[::-1]) > 250
        inner = cv2.erode(person.astype(np.uint8), np.ones((7, 7))) > 0
        outer = cv2.dilate(person.astype(np.uint8), np.ones((9, 9))) == 0
        apart = np.abs(after.images[row].astype(int) - before.images[row])
        assert apart[inner].max() <= 2
        colour = after.images[row][outer].astype(int)
        assert colour.std(0).max() < 3, "nothing of the old background is left"
        seen.add(min((BLUE, ORANGE), key=lambda c: np.abs(colour.mean(0) - c[::-1]).sum()))
        np.testing.assert_array_equal(after.points[row], before.points[row])
        edge = after.images[row][~inner & ~outer].astype(int)
        assert len(np.unique(edge, axis=0)) > 5, "edges are soft"
    assert seen == {BLUE, ORANGE}


def test_it_happens_as_often_as_told_and_where_the_source_lets_it(tmp_path: Path) -> None:
    behind = backgrounds(tmp_path, BLUE, probability=0.4)
    plain = Batches([people(tmp_path)], [1], 100).at(0)

    def share(cache: CropCache) -> float:
        other = Batches([cache], [1], 100, backgrounds=behind).at(0)
        return float((other.images != plain.images).any((1, 2, 3)).mean())

    assert 0.25 < share(people(tmp_path)) < 0.55
    mixed = Batches([people(tmp_path), people(tmp_path, exchange=False)], [1, 1], 60, seed=1,
                    backgrounds=behind).at(0)  # fmt: skip
    blue = (np.abs(mixed.images[:, 2, 2].astype(int) - BLUE[::-1]) < 9).all(-1)
    assert blue[mixed.source == 0].any() and not blue[mixed.source == 1].any()


def test_who_is_hidden_for_the_most_part_stays_where_they_are(tmp_path: Path) -> None:
    """Of five keypoints the mask of the upper body shows three."""
    behind = backgrounds(tmp_path, BLUE, probability=1.0)
    outline = [120, 105, 180, 105, 180, 158, 120, 158]
    path = write_set(tmp_path, [80], size_wh=(300, 300), middle=(150, 150), segmentation=[outline])
    cache = open_cache(read_source(SourceConfig(path, exchange=True)), tmp_path / "cache", HW)
    plain = Batches([cache], [1], 1).at(0)
    np.testing.assert_array_equal(
        Batches([cache], [1], 1, backgrounds=behind).at(0).images, plain.images
    )
    mask = np.zeros(HW, np.uint8)
    mask[:50] = 255
    for rows, enough in (([10, 20, 30, 52], True), ([10, 20, 60, 70], False), ([], False)):
        assert shows_enough(mask, np.array([[30.0, row] for row in rows]).reshape(-1, 2)) == enough


def test_people_are_cut_off_by_the_border_of_their_picture_as_before(tmp_path: Path) -> None:
    behind = backgrounds(tmp_path, BLUE, probability=1.0, match_colour=0.0)
    path = write_set(tmp_path, [80], size_wh=(300, 300), middle=(150, 265))
    cache = open_cache(read_source(SourceConfig(path)), tmp_path / "cache", HW)
    before, after = (
        Batches([cache], [1], 1, backgrounds=each).at(0).images[0] for each in (None, behind)
    )
    beyond = before.max(-1) == 0
    assert 0.05 < beyond.mean() < 0.5
    assert after[beyond].max() == 0
    assert np.abs(after[2, 2].astype(int) - BLUE[::-1]).max() < 9


def test_outlines_drawn_by_hand_cut_out_where_the_source_says_so(tmp_path: Path) -> None:
    behind = backgrounds(tmp_path, BLUE)
    path = write_set(tmp_path, [80], segmentation=[[100, 100, 200, 100, 200, 200, 100, 200]])
    for exchange, people_cut in ((None, False), (True, True), (False, False)):
        source = read_source(SourceConfig(path, exchange=exchange))
        assert source.exchanges.tolist() == [people_cut]
        cache = open_cache(source, tmp_path / "cache", HW)
        if people_cut:
            Batches([cache], [1], 2, backgrounds=behind)
        else:
            with pytest.raises(UserError, match=r"nobody .* mask .*exchange = true"):
                Batches([cache], [1], 2, backgrounds=behind)


def test_colours_are_drawn_towards_those_of_the_photo(tmp_path: Path) -> None:
    cache = people(tmp_path)
    images = []
    for match in (0.0, 1.0):
        behind = backgrounds(tmp_path, (230, 60, 60), probability=1.0, match_colour=match)
        images.append(Batches([cache], [1], 8, backgrounds=behind).at(0).images.astype(float))
    middle = np.s_[:, 40:56, 30:42]  # trunk, RGB about 90, 90, 90
    plain, matched = (image[middle].mean((0, 1, 2)) for image in images)
    assert matched[2] > plain[2] + 5
    assert matched[2] - plain[2] > matched[0] - plain[0] + 5


def test_windows_of_photos_vary_and_keep_their_shape(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", BLUE, size_wh=(640, 480))
    picture = np.full((480, 640, 3), 0, np.uint8)
    for x in range(40, 640, 80):
        for y in range(40, 480, 80):
            cv2.circle(picture, (x, y), 16, (255, 255, 255), -1)
    cv2.imwrite(str(folder / "0.png"), picture)
    config = BackgroundConfig(folder)
    behind = open_backgrounds(config, photos_of(config), tmp_path / "cache", HW)
    rng = np.random.default_rng(0)
    windows = [behind.window(rng, HW) for _ in range(10)]
    assert all(window.shape == (*HW, 3) for window in windows)
    assert len({window.tobytes() for window in windows}) == 10
    for window in windows:  # discs stay round
        count, _, stats, _ = cv2.connectedComponentsWithStats(
            (window[..., 0] > 127).astype(np.uint8)
        )
        whole = [
            s
            for s in stats[1:count]
            if s[0] > 0 and s[0] + s[2] < HW[1] and s[1] > 0 and s[1] + s[3] < HW[0]
        ]
        assert all(abs(s[2] - s[3]) <= 2 for s in whole)


def test_bad_folders_and_photos_are_told_in_one_line(tmp_path: Path) -> None:
    def refused(folder: Path) -> str:
        config = BackgroundConfig(folder)
        with pytest.raises(UserError) as told:
            open_backgrounds(config, photos_of(config), tmp_path / "cache", HW)
        assert "\n" not in str(told.value)
        return str(told.value)

    (tmp_path / "empty").mkdir()
    assert "holds no photographs" in refused(tmp_path / "empty")
    assert "there is no such folder" in refused(tmp_path / "none")
    broken = photos(tmp_path / "broken", BLUE, ORANGE) / "1.png"
    broken.write_bytes(broken.read_bytes()[:40])
    assert "1.png: cannot be read as a picture" in refused(tmp_path / "broken")
    photos(tmp_path / "small", BLUE, size_wh=(20, 20))
    assert "at least 64" in refused(tmp_path / "small")
    with pytest.raises(ValueError, match="probability is 2"):
        BackgroundConfig(tmp_path, probability=2)


def test_photos_may_go_once_they_are_read(tmp_path: Path) -> None:
    behind = backgrounds(tmp_path, BLUE)
    (tmp_path / "photos" / "0.png").unlink()
    colour = behind.window(np.random.default_rng(0), HW)[50, 30].astype(int)
    assert np.abs(colour - BLUE).max() < 6
    assert found(behind.window(np.random.default_rng(0), HW)[..., ::-1], "nose") is None
    assert "nose" in COLOURS
