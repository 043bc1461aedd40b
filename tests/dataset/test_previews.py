"""Pictures of scenes and poses on request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
pytestmark = pytest.mark.slow


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    from spinetrack_synth.dataset import previews

    monkeypatch.setattr(previews, "SIZE", (96, 96))


def check(path: Path) -> None:
    with Image.open(path) as picture:
        assert picture.size == (96, 96)
        assert np.asarray(picture).std() > 8


def test_every_pose_is_drawn(small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spinetrack_synth.dataset import previews

    names = ("tadasana", "vrksasana")
    poses = {name: previews.library()[name] for name in names}
    monkeypatch.setattr(previews, "library", lambda: poses)
    calls = []
    previews.draw_poses(tmp_path, lambda *done: calls.append(done))
    assert calls == [(0, 2), (1, 2), (2, 2)]
    assert {path.name for path in tmp_path.iterdir()} == {
        "tadasana.jpg", "vrksasana.jpg", "contact_sheet.jpg",
    }  # fmt: skip
    for name in names:
        check(tmp_path / f"{name}.jpg")


def test_every_place_of_a_scene_is_drawn(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spinetrack_synth.dataset import previews

    monkeypatch.setattr(previews, "scene_names", lambda: ("yoga", "gym"))
    previews.draw_scenes(tmp_path, lambda done, wanted: None)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"yoga_studio.jpg", "yoga_terrace.jpg", "yoga_park.jpg", "gym_gym.jpg"} <= names
    check(tmp_path / "yoga_park.jpg")
