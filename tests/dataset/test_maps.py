"""Label maps in a dataset: written, remade, grown, refused. `test_end_to_end` looks into them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import contents
from fakes import BallRenderer, ball_source
from PIL import Image

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Backdrop, Frame, Hits

CONFIG = DatasetConfig(scene="balls", count=2, size=(96, 72), maps=("depth", "normals"))


class Hitting(BallRenderer):
    """Knows no triangles: all that it sees is the first of each surface."""

    def render(self, shot, **quality) -> Frame:
        frame = super().render(shot, **quality)
        seen = np.where(np.isfinite(frame.depth_m), 0, -1).astype(np.int32)
        return replace(frame, hits=Hits(seen, np.zeros_like(seen)))


def run(out: Path, config: DatasetConfig = CONFIG, source=ball_source) -> int:
    def flat(config: DatasetConfig):
        plain = source(config)

        def shot_at(index: int):
            shot = plain(index)
            faces = np.array([[0, 1, 2]], dtype=np.int32)
            people = tuple(
                replace(p, surfaces=tuple(replace(s, faces=faces) for s in p.surfaces))
                for p in shot.people
            )
            return replace(shot, people=people)

        return shot_at

    return run_dataset(config, out, open_source=flat, open_renderer=lambda backend: Hitting())


def test_a_map_that_is_lost_is_made_again_and_the_dataset_grows(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(out) == 2
    first = contents(out)
    assert {"depth/train/000001.png", "normals/train/000000.png"} <= set(first)
    assert not (out / "parts").exists()
    (out / "depth/train/000001.png").unlink()
    assert run(out) == 1
    assert contents(out) == first
    assert run(out, replace(CONFIG, count=3)) == 1
    assert (out / "depth/train/000002.png").is_file()


def test_depth_is_in_millimetres_as_16_bits(tmp_path: Path) -> None:
    run(tmp_path)
    depth = np.asarray(Image.open(tmp_path / "depth/train/000000.png"))
    frame = BallRenderer().render(ball_source(CONFIG)(0))
    assert depth.dtype == np.uint16
    hit = np.isfinite(frame.depth_m)
    np.testing.assert_allclose(depth[hit], 1000 * frame.depth_m[hit], atol=0.51)
    assert (depth[~hit] == 0).all()


def test_what_is_behind_before_a_photograph_has_no_depth(tmp_path: Path) -> None:
    def source(config: DatasetConfig):
        plain = ball_source(config)
        backdrop = Backdrop("a.jpg", np.zeros((72, 96, 3), np.float32), exposed=True)
        return lambda index: replace(plain(index), backdrop=backdrop)

    run(tmp_path, replace(CONFIG, count=1), source)
    assert not np.asarray(Image.open(tmp_path / "depth/train/000000.png")).any()
    assert (np.asarray(Image.open(tmp_path / "normals/train/000000.png")) == 128).all()


def test_other_maps_are_another_run_and_the_card_and_the_metadata_tell_of_them(
    tmp_path: Path,
) -> None:
    run(tmp_path)
    with pytest.raises(UserError, match=r"maps depth,normals there, depth here"):
        run(tmp_path, replace(CONFIG, maps=("depth",)))
    with pytest.raises(UserError, match=r"maps depth,normals there, none here"):
        run(tmp_path, replace(CONFIG, maps=()))
    card = (tmp_path / "README.md").read_text()
    assert "`depth/SPLIT/`" in card and "`parts/SPLIT/`" not in card
    assert '"includes": "normals/train/*.png"' in (tmp_path / "croissant.json").read_text()
    assert "maps" not in DatasetConfig("balls", 1).as_json()
    ordered = DatasetConfig("balls", 1, maps=("normals", "parts")).as_json()
    assert ordered["maps"] == "parts,normals"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"maps": ("dept",)}, r"maps 'dept': choose from parts, depth, normals, or all"),
        ({"maps": ("depth", "depth")}, r"maps 'depth,depth': choose from"),
        ({"maps": ("depth",), "backend": "unreal"}, r"--maps goes with --backend embedded"),
    ],
)
def test_maps_that_there_are_not_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        DatasetConfig("balls", 1, **settings)
