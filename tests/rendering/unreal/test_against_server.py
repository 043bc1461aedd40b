"""The driver and the real server over the real wire: the labels of the embedded renderer."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import contents, type_in
from faulty_wire import Fault, FaultyWire, cut_off, hung_up
from pycocotools import mask as coco_mask

from spinetrack_synth.rendering.unreal.messages import TOKEN_VARIABLE

pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
pytest.importorskip("unrealcv", reason="pip install 'spinetrack-synth[unreal]'")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = 2


def spinetrack_synth(*arguments: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "spinetrack_synth", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def render(out: Path, *more: object) -> int:
    """Exit code of making a few small pictures."""
    return type_in(
        out.parent, "render", "--scenes", "yoga", "--count", COUNT, "--seed", 9, "--size",
        "192x144", "--subjects", "1", "--quality", "draft", "--format", "png", "--out", out, *more,
    ).code  # fmt: skip


@contextmanager
def server(folder: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen, int]]:
    """A server and its port."""
    process = spinetrack_synth("serve", "--port", port, "--quality", "draft", cwd=folder)
    found = None
    try:
        line = process.stdout.readline()
        found = re.match(r"listening at [^ :]+:(\d+)", line)
        assert found, (line, process.stderr.read())
        yield process, int(found[1])
    finally:
        process.terminate()
        process.communicate()
        if found:  # one that was killed leaves its socket
            Path(tempfile.gettempdir(), f"unrealcv_{found[1]}.socket").unlink(missing_ok=True)


@pytest.fixture(scope="module", autouse=True)
def token() -> Iterator[None]:
    """Servers here want a token, and drivers know it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN_VARIABLE, "0123456789abcdef")
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that stays."""
    with server(tmp_path_factory.mktemp("served")) as (_, port):
        yield port


@pytest.fixture(scope="module")
def drawn(served: int, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same pictures drawn by the embedded renderer and through the wire: of people who wear
    what an engine has them wear."""
    from spinetrack_synth.dataset import DatasetConfig, run_dataset
    from spinetrack_synth.dataset.source import scene_source

    folder = tmp_path_factory.mktemp("drawn")
    run_dataset(
        DatasetConfig(
            scene="yoga", count=COUNT, seed=9, size=(192, 144), subjects=(1, 1), quality="draft",
            format="png",
        ),
        folder / "embedded",
        open_source=lambda config: scene_source(replace(config, backend="unreal")),
    )  # fmt: skip
    assert render(folder / "wire", "--backend", "unreal", "--port", served) == 0
    assert (folder / "wire/manifest.json").exists()
    return folder / "embedded", folder / "wire"


def test_the_labels_are_the_embedded_renderers(drawn: tuple[Path, Path]) -> None:
    embedded, wire = (
        json.loads((out / "annotations/person_keypoints_train.json").read_text()) for out in drawn
    )
    assert embedded["images"] == wire["images"]
    assert len(embedded["annotations"]) >= COUNT
    for ours, theirs in zip(wire["annotations"], embedded["annotations"], strict=True):
        assert {key: ours[key] for key in ("id", "image_id", "subject", "pose")} == {
            key: theirs[key] for key in ("id", "image_id", "subject", "pose")
        }
        keypoints, expected = (
            np.reshape(annotation["keypoints"], (-1, 3)) for annotation in (ours, theirs)
        )
        assert np.abs(keypoints - expected)[:, :2].max() <= 0.1
        assert (keypoints[:, 2] != expected[:, 2]).sum() <= 1  # depth is rounded on the wire
        overlap = coco_mask.iou([ours["segmentation"]], [theirs["segmentation"]], [0])
        assert overlap[0, 0] >= 0.99


def test_the_ground_truth_is_the_embedded_renderers(drawn: tuple[Path, Path]) -> None:
    embedded, wire = (pd.read_parquet(out / "ground_truth/train.parquet") for out in drawn)
    assert list(wire.columns) == list(embedded.columns)
    for column in ("subject", "pose", "image_id", "annotation_id"):
        assert (wire[column] == embedded[column]).all()
    for column in ("keypoints_world", "coordinates", "scale_factors", "keypoint_offsets", "K"):
        for ours, theirs in zip(wire[column], embedded[column], strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_manifest_names_engine_plugin_and_project(drawn: tuple[Path, Path]) -> None:
    split = json.loads((drawn[1] / "manifest.json").read_text())["splits"]["train"]
    assert split["backend"] == "unreal"
    assert split["drawn_by"]["engine"].startswith("spinetrack-synth")
    assert split["drawn_by"]["plugin"] == "1.1.2"
    assert split["drawn_by"]["project_hash"]
    embedded = json.loads((drawn[0] / "manifest.json").read_text())["splits"]["train"]
    assert "drawn_by" not in embedded


def test_two_people_and_their_depth_are_the_embedded_renderers(served: int) -> None:
    from spinetrack_synth.dataset import DatasetConfig
    from spinetrack_synth.dataset.source import scene_source
    from spinetrack_synth.rendering import EngineSettings, Quality, open_renderer

    config = DatasetConfig(
        scene="yoga", count=1, seed=9, size=(192, 144), subjects=(2, 2), backend="unreal"
    )
    shot = scene_source(config)(1)
    embedded = open_renderer().render(shot, quality=Quality.DRAFT)
    renderer = open_renderer("unreal", engines=EngineSettings(ports=(served,)))
    wire = renderer.render(shot)
    renderer.close()
    np.testing.assert_array_equal(wire.ids, embedded.ids)
    assert set(np.unique(wire.ids)) == {0, 1, 2}
    near = embedded.depth_m < 600  # beyond, the wire's float16 ends
    np.testing.assert_allclose(wire.depth_m[near], embedded.depth_m[near], rtol=2**-10)
    assert not np.isfinite(wire.depth_m[embedded.depth_m > 656]).any()


def test_a_server_killed_in_the_middle_of_a_shot_and_a_bad_wire_afterwards(
    served: int, drawn: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spinetrack_synth.dataset import DatasetConfig, run_dataset
    from spinetrack_synth.errors import UserError
    from spinetrack_synth.rendering import EngineSettings, open_renderer
    from spinetrack_synth.rendering.unreal import engine

    monkeypatch.setattr(engine, "RETURN_S", 1.0)  # it does not come back
    config = DatasetConfig(
        scene="yoga", count=COUNT, seed=9, size=(192, 144), subjects=(1, 1), quality="draft",
        format="png", backend="unreal",
    )  # fmt: skip
    out = tmp_path / "out"
    with server(tmp_path) as (process, port):

        def kill(wire: FaultyWire, number: bytes, body: bytes) -> None:
            os.kill(process.pid, signal.SIGKILL)

        with FaultyWire(port, Fault("depth npy", kill, skip=3)) as wire:
            engines = partial(open_renderer, engines=EngineSettings(ports=(wire.port,)))
            with pytest.raises(UserError, match=r"^127\.0\.0\.1:\d+: shot 1 failed .*come back"):
                run_dataset(config, out, open_renderer=engines)
    assert not (out / "annotations").exists()
    faults = (Fault(r"lit png", cut_off), Fault(r"vget /avatar/.*/pose", hung_up))
    with FaultyWire(served, *faults) as wire:
        assert render(out, "--backend", "unreal", "--port", wire.port) == 0
        assert wire.all_struck
    assert contents(out) == contents(drawn[1])
