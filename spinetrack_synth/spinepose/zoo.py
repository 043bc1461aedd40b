"""The official models: where they are published, where they lie, under which licence."""

from __future__ import annotations

import datetime
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.cache import cache_folder, cache_in_use
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.download import FIRST_TRIES, Progress, download

MODES: Final = ("small", "medium", "large", "xlarge")
VERSIONS: Final = ("latest", "v2", "v1")

HUB: Final = "https://huggingface.co"
POSE_FOLDER: Final = f"{HUB}/dfki-av/spinepose/resolve/main"
DETECTOR_FOLDER: Final = f"{HUB}/saifkhichi96/opendetect/resolve/main/rfdetr"
ARCHIVE_FOLDER: Final = "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk"
YOLOX_FOLDER: Final = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"

NON_COMMERCIAL: Final = "CC-BY-NC-4.0"
LICENCE_TEXT: Final = f"""\
The SpinePose weights are published by DFKI under {NON_COMMERCIAL}
(https://creativecommons.org/licenses/by-nc/4.0/): with attribution, and not for commercial use.
Cite Khan et al., "Towards Unconstrained 2D Pose Estimation of the Human Spine", CVPRW 2025."""

RECORD: Final = "record.json"

YOLOX_FILES: Final = (
    "tiny_8xb8-300e_humanart-6f3252f9", "m_8xb8-300e_humanart-c2c7a14a",
    "x_8xb8-300e_humanart-a39d44ed",
)  # fmt: skip

ARCHIVE_START: Final = b"PK"
ARCHIVED: Final = "end2end.onnx"
"""The network in an archive of mmdeploy."""

ONNX_START: Final = b"\x08"
"""Every ONNX file begins with its version (field 1 of the protobuf, a whole number)."""


@dataclass(frozen=True)
class Official:
    """A published model: our name, its address and its licence; its size and SHA-256 where they are
    known before it is fetched."""

    name: str
    url: str
    licence: str
    size_bytes: int | None = None
    sha256: str | None = None

    @property
    def file_name(self) -> str:
        """The network's file name, as the ``spinepose`` package keeps it too."""
        name = self.url.rpartition("/")[2]
        return f"{name.removesuffix('.zip')}.onnx" if name.endswith(".zip") else name


YOLOX_NANO: Final = Official(
    "yolox-nano",
    f"{YOLOX_FOLDER}/yolox_nano.onnx",
    "Apache-2.0",
    3_659_407,
    "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
)
"""The detector where none is named. A dozen public projects that fetch this release hold the same
size and SHA-256 against it."""


def _models() -> dict[str, Official]:
    found = []
    for mode in MODES[:3]:
        for version, data in (("", "simspine"), ("-v1", "spinetrack")):
            file = f"spinepose-{mode[0]}_32xb256-10e_{data}-256x192.onnx"
            found.append(Official(mode + version, f"{POSE_FOLDER}/{file}", NON_COMMERCIAL))
    file = "spinepose-x_32xb128-10e_spinetrack-384x288.onnx"
    found.append(Official("xlarge", f"{POSE_FOLDER}/{file}", NON_COMMERCIAL))
    for mode, letter, side in zip(MODES, "nsml", (384, 512, 576, 704)):
        file = f"rfdetr_{letter}_v142_{side}x{side}.onnx"
        found.append(Official(f"rfdetr-{mode}", f"{DETECTOR_FOLDER}/{file}", "Apache-2.0"))
    for mode, file in zip(MODES, (*YOLOX_FILES, YOLOX_FILES[-1])):
        found.append(Official(f"yolox-{mode}", f"{ARCHIVE_FOLDER}/yolox_{file}.zip", "Apache-2.0"))
    found.append(YOLOX_NANO)
    return {official.name: official for official in found}


OFFICIAL: Final = _models()
"""By name: pose networks ``small`` to ``xlarge`` (``-v1``: the first release, which is all there is
of ``xlarge``), detectors ``rfdetr-small`` to ``rfdetr-xlarge`` and ``yolox-small`` to
``yolox-xlarge`` (the last two are one file), and ``yolox-nano``."""

DETECTORS: Final = ("rfdetr", "yolox")
"""Families of detectors, one for every mode."""


@dataclass(frozen=True)
class State:
    """Where a model lies (None: nowhere), whether the ``spinepose`` package fetched it."""

    official: Official
    path: Path | None
    of_package: bool

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path else 0


def by_mode(mode: str, version: str = "latest") -> Official:
    """The pose network of a mode; raises UserError for names that do not exist."""
    if mode not in MODES:
        raise UserError(f"mode {mode!r}: expected {', '.join(MODES)}")
    if version not in VERSIONS:
        raise UserError(f"model version {version!r}: expected {', '.join(VERSIONS)}")
    if mode == "xlarge" and version == "v2":
        raise UserError(
            "mode xlarge is of the first release only: give model version v1 (or another mode)"
        )
    return OFFICIAL[f"{mode}-v1" if version == "v1" and mode != "xlarge" else mode]


def by_name(name: str) -> Official:
    """A model by our name of it; raises UserError for names that do not exist."""
    if name not in OFFICIAL:
        raise UserError(f"{name}: no official model; there are {', '.join(OFFICIAL)}")
    return OFFICIAL[name]


def models_folder() -> Path:
    """Where fetched models are kept."""
    return cache_folder() / "models"


def package_folder() -> Path:
    """Where the ``spinepose`` package keeps its models."""
    try:
        return Path.home() / ".cache" / "spinepose" / "hub" / "checkpoints"
    except RuntimeError:  # a user without a home has no second place
        return models_folder()


@cache_in_use()
def state(official: Official) -> State:
    """Look where a model lies: in our folder, else in the package's."""
    own = models_folder() / official.file_name
    if own.is_file():
        return State(official, own, of_package=False)
    packages = package_folder() / official.file_name
    return State(official, packages if packages.is_file() else None, packages.is_file())


@cache_in_use()
def obtain(
    official: Official,
    *,
    offline: bool = False,
    accept: Callable[[str], bool] | None = None,
    progress: Progress | None = None,
    changed: bool = False,
    tries: int = FIRST_TRIES,
) -> Path:
    """The model's file, fetched where it is missing and checked where we fetched it before.

    ``accept`` is shown a licence that asks for consent and answers whether the user gives it; that
    is remembered. Where no hash is known beforehand that of the first download is recorded; a later
    file that differs is refused unless ``changed`` says that this is known. ``tries`` is how often
    a server that never answered is asked. Raises UserError.
    """
    record = _read_record()
    known = record["files"].get(official.file_name)
    found = _kept(official, known)
    if found is not None:
        return found
    if offline:
        option = "--model" if official.licence == NON_COMMERCIAL else "--detector"
        raise UserError(
            f"{official.name} ({official.file_name}) is not here and --offline forbids fetching "
            f"it: name a file with {option}, or put it into {models_folder()}"
        )
    models_folder().mkdir(parents=True, exist_ok=True)
    if official.licence == NON_COMMERCIAL and NON_COMMERCIAL not in record["licences"]:
        _ask_consent(official, accept)
        record["licences"][NON_COMMERCIAL] = datetime.date.today().isoformat()
        _write_record(record)
    path = models_folder() / official.file_name
    arrived = path.with_name(f"{path.name}.arrived")
    _fetch(official, arrived, progress, tries)
    digest = file_sha256(arrived)
    if official.sha256 and digest != official.sha256:
        size = arrived.stat().st_size
        arrived.unlink()
        raise UserError(
            f"{official.url}: what came is not the file that was published: {size:,} bytes, "
            f"SHA-256 {digest[:12]}, expected {official.size_bytes or 0:,} and "
            f"{official.sha256[:12]}"
        )
    if known and digest != known["sha256"] and not changed:
        arrived.unlink()
        raise UserError(
            f"{official.url}: is another file than on {known['fetched']} (SHA-256 {digest[:12]}, "
            f"was {known['sha256'][:12]}); if that is right: spinetrack-synth models fetch "
            f"{official.name} --changed"
        )
    record["files"][official.file_name] = {
        "url": official.url,
        "sha256": digest,
        "size": arrived.stat().st_size,
        "fetched": datetime.date.today().isoformat(),
    }
    arrived.replace(path)
    _write_record(record)
    return path


def _kept(official: Official, known: Mapping[str, Any] | None) -> Path | None:
    """The file that is there already; ``known`` is what was recorded of it when we fetched it."""
    found = state(official)
    wanted = official.sha256 or (known["sha256"] if known else None)
    if found.path is None or found.of_package or wanted is None:
        return found.path
    if file_sha256(found.path) != wanted:
        raise UserError(
            f"{found.path}: is not the file that was fetched (its SHA-256 differs); run: "
            f"spinetrack-synth models remove {official.name} and fetch it again"
        )
    return found.path


def _ask_consent(official: Official, accept: Callable[[str], bool] | None) -> None:
    if accept is None or not accept(LICENCE_TEXT):
        raise UserError(
            f"{official.name}: the weights are under {NON_COMMERCIAL}, not for commercial use; "
            "--accept-licence (in Python accept_licence=True) takes them under these terms, "
            "--model names a file of your own"
        )


def _fetch(official: Official, arrived: Path, progress: Progress | None, tries: int) -> None:
    """Download the network, out of its archive where it is in one."""
    download(official.url, arrived, progress, tries=tries)
    _unpack(official, arrived)
    with arrived.open("rb") as stream:
        begins = stream.read(1)
    if begins != ONNX_START:
        arrived.unlink()
        raise UserError(f"{official.url}: what came is no ONNX file; a page to log in, perhaps")


def _unpack(official: Official, path: Path) -> None:
    """Put the network of an archive into the archive's place; other files are left alone."""
    with path.open("rb") as stream:
        if stream.read(len(ARCHIVE_START)) != ARCHIVE_START:
            return
    inner = path.with_name(f".{path.name}.unpacked")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if Path(name).name == ARCHIVED]
            if not names:
                raise zipfile.BadZipFile(f"there is no {ARCHIVED} in it")
            with archive.open(names[0]) as source, inner.open("wb") as target:
                shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        for scrap in (inner, path):
            scrap.unlink(missing_ok=True)
        raise UserError(f"{official.url}: the archive cannot be unpacked: {error}") from error
    inner.replace(path)


@cache_in_use()
def accepted(official: Official) -> bool:
    """Whether a network can be had without asking: its licence was agreed to, or it is there."""
    agreed = official.licence != NON_COMMERCIAL or NON_COMMERCIAL in _read_record()["licences"]
    return agreed or state(official).path is not None


@cache_in_use()
def remove(official: Official) -> int:
    """Delete a model that we fetched, or part of one; the bytes freed. Its hash stays recorded."""
    freed = 0
    for path in models_folder().glob(f"*{official.file_name}*"):
        freed += path.stat().st_size
        path.unlink()
    return freed


def _read_record() -> dict[str, Any]:
    try:
        record = json.loads((models_folder() / RECORD).read_bytes())
    except (OSError, ValueError):
        record = {}
    return {"files": record.get("files", {}), "licences": record.get("licences", {})}


def _write_record(record: dict[str, Any]) -> None:
    write_atomic(models_folder() / RECORD, (json.dumps(record, indent=1) + "\n").encode())
