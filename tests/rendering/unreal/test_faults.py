"""Whatever happens on the wire, a dataset ends the same or the run stops with one line."""

from __future__ import annotations

import errno
import io
import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ball_engine import BallEngine, open_hastily, open_patiently, papered, png
from fakes import BallRenderer, ball_source
from faulty_wire import (
    Fault,
    FaultyWire,
    after_the_next,
    an_error,
    cut_off,
    delayed,
    dropped,
    garbled,
    hung_up,
    replaced,
    shortened,
    whole,
)
from PIL import Image

from spinetrack_synth.camera import look_at
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal.decoding import COLORS
from spinetrack_synth.rendering.unreal.stage import WARM_UP

pytestmark = pytest.mark.slow

pytest.importorskip("unrealcv")

CONFIG = DatasetConfig(scene="balls", count=3, seed=8, size=(96, 72), format="png")

LIT, MASK, DEPTH = (
    rf"vget /camera/\d+/{view}" for view in ("lit png", "object_mask png", "depth npy")
)
POSE_BACK = "vget /avatar/.*/pose"
OF_CALIBRATION = {MASK: 2, DEPTH: 2}
"""Pictures that are taken before those of the shots."""

Drive = Callable[..., BallRenderer]


def make(out: Path, renderer) -> int:
    return run_dataset(CONFIG, out, open_source=ball_source, open_renderer=lambda backend: renderer)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run without faults makes."""
    out = tmp_path_factory.mktemp("clean")
    with BallEngine() as engine:
        make(out, open_hastily(engine.port))
    return contents(out)


def on_pixels(change: Callable[[np.ndarray], np.ndarray]):
    def harm(body: bytes) -> bytes:
        with Image.open(io.BytesIO(body)) as image:
            return png(change(np.asarray(image.convert("RGB")).copy()))

    return replaced(harm)


def without_the_first(mask: np.ndarray) -> np.ndarray:
    mask[(mask == COLORS[0]).all(axis=-1)] = 0
    return mask


def without_the_lower_half(mask: np.ndarray) -> np.ndarray:
    mask[len(mask) // 2 :] = 0
    return mask


def moved_aside(pixels: np.ndarray) -> np.ndarray:
    return np.roll(pixels, 20, axis=1)


def bent(body: bytes) -> bytes:
    """A pose in which the left hand is 2 cm higher."""
    text = body.decode()
    start = text.index('"hand_l":[') + len('"hand_l":[')
    x, y, z, rest = text[start:].split(",", 3)
    return f"{text[:start]}{x},{y},{float(z) + 2},{rest}".encode()


def depth_of_nothing(body: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.full_like(np.load(io.BytesIO(body)), 65504.0))
    return buffer.getvalue()


def depth_aside(body: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.roll(np.load(io.BytesIO(body)), 20, axis=1))
    return buffer.getvalue()


WIRE = {
    "delayed": delayed(2.6), "delayed a little": delayed(0.2), "dropped": dropped,
    "cut off": cut_off, "shortened": shortened, "garbled": garbled, "reordered": after_the_next,
    "an error": an_error, "hung up": hung_up,
}  # fmt: skip

PICTURES = {
    "a black picture": (LIT, on_pixels(np.zeros_like)),
    "a grey picture": (LIT, on_pixels(lambda p: np.full_like(p, 90))),
    "another size": (LIT, on_pixels(lambda p: p[:-2])),
    "an empty mask": (MASK, on_pixels(np.zeros_like)),
    "a mask with a missing person": (MASK, on_pixels(without_the_first)),
    "half a mask": (MASK, on_pixels(without_the_lower_half)),
    "a mask moved aside": (MASK, on_pixels(moved_aside)),
    "depth moved aside": (DEPTH, replaced(depth_aside)),
    "depth of nothing": (DEPTH, replaced(depth_of_nothing)),
    "another pose": (POSE_BACK, replaced(bent)),
    "no colour": ("vget /object/.*/color", replaced(lambda body: b"(R=0,G=0,B=0,A=255)")),
    "another camera": (r"vget /camera/\d+/location", replaced(lambda body: b"1.0 2.0 3.0")),
    "another place": ("vget /place", replaced(lambda body: b"studio 1")),
}


QUICK = ("dropped", "reordered", "an error", "a black picture", "a mask with a missing person",
         "another pose")  # fmt: skip
"""The rest is told apart by a few lines of the driver at most, and left to the whole suite;
replies to other commands than the picture's to the exhaustive one."""


def cases(*names: str):
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize(
    "command", [LIT, *(pytest.param(c, marks=pytest.mark.exhaustive) for c in (DEPTH, POSE_BACK))]
)
@pytest.mark.parametrize("harm", cases(*WIRE))
def test_harm_to_a_reply_leaves_no_trace(
    balls: BallEngine,
    drive: Drive,
    tmp_path: Path,
    clean: dict[str, bytes],
    harm: str,
    command: str,
) -> None:
    fault = Fault(command, WIRE[harm], skip=OF_CALIBRATION.get(command, 0) + 1)
    with FaultyWire(balls.port, fault) as wire:
        assert make(tmp_path, drive(wire.port)) == CONFIG.count
        assert wire.all_struck
        assert (wire.connections > 1) == (harm != "delayed a little")
    assert contents(tmp_path) == clean


@pytest.mark.parametrize("what", cases(*PICTURES))
def test_a_wrong_picture_is_taken_again(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes], what: str
) -> None:
    command, harm = PICTURES[what]
    fault = Fault(command, harm, skip=OF_CALIBRATION.get(command, 0) + 1)
    with FaultyWire(balls.port, fault) as wire:
        make(tmp_path, drive(wire.port))
        assert wire.all_struck and wire.connections == 2
    assert contents(tmp_path) == clean


@pytest.mark.slow
@pytest.mark.parametrize(
    "what", ["a black picture", "a mask with a missing person", "another pose"]
)
def test_what_stays_wrong_ends_the_run_and_nothing_wrong_is_kept(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes], what: str
) -> None:
    command, harm = PICTURES[what]
    fault = Fault(command, harm, skip=OF_CALIBRATION.get(command, 0) + 1, times=100)
    with (
        FaultyWire(balls.port, fault) as wire,
        pytest.raises(UserError, match=r"shot \d failed \d times, at last: .*what is done is safe"),
    ):
        make(tmp_path, drive(wire.port))
    assert not (tmp_path / "annotations").exists()
    made = contents(tmp_path / "images")
    assert all(clean[f"images/{name}"] == content for name, content in made.items())
    make(tmp_path, drive(balls.port))
    assert contents(tmp_path) == clean


def test_a_picture_that_lags_behind_is_taken_again(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes]
) -> None:
    kept: list[bytes] = []

    def of_the_shot_before(body: bytes) -> bytes:
        kept.append(body)
        return kept[-2] if len(kept) == 2 else body

    with FaultyWire(balls.port, Fault(LIT, replaced(of_the_shot_before), times=4)) as wire:
        make(tmp_path, drive(wire.port))
        assert wire.connections == 2
    assert contents(tmp_path) == clean


# Pictures that are sound in themselves: only what they show tells. They are large enough to.

LARGE = replace(CONFIG, size=(256, 192))
AT = (3.2, 1.2, 0.0)


def large_source(config: DatasetConfig):
    """Shots of people who fill half the picture."""
    shot_at = ball_source(config)
    camera = look_at(AT, (0, 0.9, 0), focal_px=220, width=256, height=192)
    return lambda index: replace(shot_at(index), camera=camera)


def make_large(out: Path, renderer) -> None:
    run_dataset(LARGE, out, open_source=large_source, open_renderer=lambda backend: renderer)


@pytest.fixture
def rooms(balls: BallEngine) -> BallEngine:
    """Balls before a wall that is not plain."""
    balls.wallpaper = 5
    return balls


@pytest.fixture(scope="module")
def clean_large(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("large")
    with BallEngine() as engine:
        engine.wallpaper = 5
        make_large(out, open_patiently(engine.port))
    return contents(out)


def noisy(pixels: np.ndarray, level: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, level, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def seen_from(position: tuple[float, float, float], target: tuple[float, float, float]):
    """The second shot by another camera, for a change of the right picture."""

    def change(now: np.ndarray, before: np.ndarray) -> np.ndarray:
        camera = look_at(position, target, focal_px=220, width=256, height=192)
        drawn = BallRenderer().render(replace(large_source(LARGE)(1), camera=camera))
        return noisy(papered(drawn.rgb, drawn.ids, 5))

    return change


HALF = 96
OTHERS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "the shot before with noise": lambda now, before: noisy(before),
    "the shot before, mirrored": lambda now, before: noisy(before[:, ::-1]),
    "mirrored": lambda now, before: noisy(now[:, ::-1]),
    "upside down": lambda now, before: noisy(now[::-1]),
    "an old upper half": lambda now, before: noisy(np.concatenate([before[:HALF], now[HALF:]])),
    "an old right half": lambda now, before: noisy(
        np.concatenate([now[:, :128], before[:, 128:]], axis=1)
    ),
    "both at once": lambda now, before: noisy(now // 2 + before // 2),
    "a camera 20 cm aside": seen_from((3.2, 1.2, 0.2), (0, 0.9, 0.2)),
    "a camera turned by 3 degrees": seen_from(AT, (0, 0.9, 0.17)),
    "a camera 40 cm behind": seen_from((3.6, 1.2, 0.0), (0, 0.9, 0)),
}


def second(change: Callable[[np.ndarray, np.ndarray], np.ndarray]):
    """Harm to the second of two pictures that is told what the first one was."""
    kept: list[np.ndarray] = []

    def harm(body: bytes) -> bytes:
        with Image.open(io.BytesIO(body)) as image:
            kept.append(np.asarray(image.convert("RGB")))
        return png(change(kept[1], kept[0])) if len(kept) == 2 else body

    return replaced(harm)


@pytest.mark.parametrize("what", OTHERS)
def test_a_picture_of_something_else_is_taken_again(
    rooms: BallEngine, tmp_path: Path, clean_large: dict[str, bytes], what: str
) -> None:
    with FaultyWire(rooms.port, Fault(LIT, second(OTHERS[what]), times=2)) as wire:
        make_large(tmp_path, open_patiently(wire.port))
        assert wire.connections == 2
    assert contents(tmp_path) == clean_large


@pytest.mark.parametrize("what", ["the shot before with noise", "mirrored"])
def test_pictures_that_stay_those_of_something_else_end_the_run(
    rooms: BallEngine, tmp_path: Path, what: str
) -> None:
    kept: list[np.ndarray] = []

    def harm(body: bytes) -> bytes:
        with Image.open(io.BytesIO(body)) as image:
            kept.append(np.asarray(image.convert("RGB")))
        return body if len(kept) == 1 else png(OTHERS[what](kept[-1], kept[0]))

    told = {"mirrored": "is mirrored", "the shot before with noise": "shows the shot before"}
    with (
        FaultyWire(rooms.port, Fault(LIT, replaced(harm), times=-1)) as wire,
        pytest.raises(UserError, match=rf"shot 1 failed \d times, at last: lit: .*{told[what]}"),
    ):
        make_large(tmp_path, open_patiently(wire.port))


def compressed(pixels: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], 1)


def soft(pixels: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(pixels, (0, 0), 1.0)


@pytest.mark.parametrize(
    "change",
    [lambda p: noisy(p, 4.0), soft, compressed, lambda p: noisy(p // 4, 2.0),
     lambda p: noisy(np.clip(p * 1.5, 0, 255), 2.0)],
    ids=["noisy", "soft", "compressed", "dark and noisy", "overexposed"],
)  # fmt: skip
def test_right_pictures_are_not_refused_however_they_look(
    rooms: BallEngine, tmp_path: Path, clean_large: dict[str, bytes], change
) -> None:
    with FaultyWire(rooms.port, Fault(LIT, on_pixels(change), times=-1)) as wire:
        make_large(tmp_path, open_patiently(wire.port))
        assert wire.connections == 1
    made = contents(tmp_path)
    labels = "annotations/person_keypoints_train.json"
    assert made.keys() == clean_large.keys() and made[labels] == clean_large[labels]
    picture = "images/train/000001.png"
    assert made[picture] != clean_large[picture]


def test_a_picture_that_still_changes_is_taken_again(
    tmp_path: Path, clean_large: dict[str, bytes]
) -> None:
    """Of the pictures that build up, the last one thrown away is half of something else."""

    def half_updated(pixels: np.ndarray) -> np.ndarray:
        return np.concatenate([pixels[:HALF, ::-1], pixels[HALF:]])

    earlier = 2 * WARM_UP  # those of the calibration
    fault = Fault(LIT, on_pixels(half_updated), skip=earlier + WARM_UP - 1)
    with BallEngine(engine="Unreal Engine 5.4") as engine:
        engine.wallpaper = 5
        with FaultyWire(engine.port, fault) as wire:
            make_large(tmp_path, open_patiently(wire.port))
            assert wire.all_struck and wire.connections == 2
    made = contents(tmp_path)
    for name in (name for name in made if name.startswith(("images", "annotations"))):
        assert made[name] == clean_large[name]


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(0, marks=pytest.mark.slow),
        *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in (1, 2)),
    ],
)
def test_a_storm(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes], seed: int
) -> None:
    """One reply in twenty comes to some harm, from set-up on; the run is resumed until done."""
    chance = random.Random(seed)
    harms = [*(WIRE[name] for name in WIRE if name != "delayed a little"),
             *(harm for _, harm in PICTURES.values())]  # fmt: skip

    def strike(wire: FaultyWire, number: bytes, body: bytes) -> bytes | None:
        harm = chance.choice(harms) if chance.random() < 0.05 else None
        try:
            return harm(wire, number, body) if harm else whole(number, body)
        except Exception:  # it was no picture that this harm could change
            return an_error(wire, number, body)

    # A version cut short is still a version: that alone could not be noticed.
    harmed = "^(?!vget /unrealcv/version)"
    with FaultyWire(balls.port, Fault(harmed, strike, times=-1)) as wire:
        for _ in range(60):
            try:
                make(tmp_path, drive(wire.port))
                break
            except UserError as error:
                assert "\n" not in str(error)
                made = contents(tmp_path / "images") if (tmp_path / "images").exists() else {}
                assert all(clean[f"images/{name}"] == content for name, content in made.items())
    assert contents(tmp_path) == clean


def test_an_engine_that_dies_in_a_shot_and_stays_dead(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes]
) -> None:
    renderer = drive(balls.port)

    def die(command: str, reply: bytes) -> bytes:
        if "depth" in command and sum("depth" in known for known in balls.commands) == 4:
            balls.stop()
        return reply

    balls.spoil = die
    with pytest.raises(
        UserError, match=r"127\.0\.0\.1:\d+: shot \d failed .*nothing listens there"
    ):
        make(tmp_path, renderer)
    with BallEngine() as another:
        make(tmp_path, drive(another.port))
    assert contents(tmp_path) == clean


def test_an_engine_that_comes_back_is_set_up_again(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes]
) -> None:
    renderer = drive(balls.port)
    shot_at = ball_source(CONFIG)
    renderer.render(shot_at(0))
    balls.stop()
    with BallEngine(port=balls.port) as again:
        make(tmp_path, renderer)
        assert "vset /action/game/pause" in again.commands
        assert not any("spawn_cube" in command for command in again.commands)  # known by now
    assert contents(tmp_path) == clean


def test_a_full_disk(
    balls: BallEngine,
    drive: Drive,
    tmp_path: Path,
    clean: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, done = os.replace, 0

    def replace(source, target):
        nonlocal done
        done += 1
        if done == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(UserError, match="No space left on device; what is done is safe"):
            make(tmp_path, drive(balls.port))
    make(tmp_path, drive(balls.port))
    assert contents(tmp_path) == clean


def test_the_labels_are_those_of_an_exact_renderer(tmp_path: Path, clean: dict[str, bytes]) -> None:
    make(tmp_path, BallRenderer())
    exact = contents(tmp_path)
    assert {name: clean[name] for name in clean if name.startswith("images")} == {
        name: exact[name] for name in exact if name.startswith("images")
    }
    name = "annotations/person_keypoints_train.json"
    for ours, theirs in zip(
        json.loads(clean[name])["annotations"], json.loads(exact[name])["annotations"], strict=True
    ):
        assert ours["segmentation"] == theirs["segmentation"]
        np.testing.assert_allclose(ours["keypoints"], theirs["keypoints"], atol=0.01)


def test_a_folder_is_of_one_engine(
    balls: BallEngine, drive: Drive, tmp_path: Path, clean: dict[str, bytes]
) -> None:
    split = json.loads(clean["manifest.json"])["splits"]["train"]
    assert split["drawn_by"] == {
        "plugin": "1.1.2", "engine": "spinetrack-synth test", "project_name": "Balls",
        "project_version": "1", "project_hash": "b0",
    }  # fmt: skip
    make(tmp_path, drive(balls.port))
    (tmp_path / "images/train/000001.png").unlink()
    balls.project["hash"] = "b1"
    with pytest.raises(UserError, match=r"holds another run .*project_hash b0 there, .*b1 here"):
        make(tmp_path, drive(balls.port))
    balls.project["hash"] = "b0"
    assert make(tmp_path, drive(balls.port)) == 1
    assert contents(tmp_path) == clean


def test_several_engines_share_the_shots(drive: Drive, tmp_path: Path, clean) -> None:
    with BallEngine() as one, BallEngine() as other:
        make(tmp_path, drive(one.port, other.port))
        drawn = [sum("lit" in command for command in e.commands) for e in (one, other)]
    assert sum(drawn) == CONFIG.count and min(drawn) > 0
    assert contents(tmp_path) == clean
