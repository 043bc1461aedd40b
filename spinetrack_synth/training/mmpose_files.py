"""Checkpoints of mmpose (``.pth``): their tensors and keypoints; nothing in them is run."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spinetrack_synth.coco.keypoint_names import ORDERS
from spinetrack_synth.errors import UserError


def read_pth(path: Path) -> tuple[tuple[str, ...], dict[str, Tensor]]:
    """The keypoints' names, as far as they are told or known by their number, and the tensors of a
    checkpoint of mmpose, or of a bare state dict. Nothing in the file is run. Raises UserError."""
    content = _unpickled(path)
    tensors = content.get("state_dict", content)
    tensors = {
        str(name).removeprefix("module."): tensor
        for name, tensor in tensors.items()
        if isinstance(tensor, Tensor)
    }
    if not any(name.startswith("backbone.") for name in tensors):
        raise UserError(f"{path}: holds no tensors called backbone.*, expected mmpose's RTMPose")
    last = tensors.get("head.final_layer.weight")
    count = 0 if last is None else len(last)
    meta = content.get("meta")
    told = meta.get("dataset_meta") if isinstance(meta, Mapping) else None
    listed = told.get("keypoint_id2name") if isinstance(told, Mapping) else None
    names = tuple(map(str, listed.values())) if isinstance(listed, Mapping) else ()
    if len(names) != count:
        names = ORDERS.get(count, ("",) * count)
    return names, tensors


class _Record:
    """In the place of mmengine's record of a loss, in checkpoints of runs under way."""


def _attribute(owner: object, name: str) -> str:
    """In the place of ``getattr``, by which such a record names its own methods."""
    return name


def _unpickled(path: Path) -> dict[str, Any]:
    """A ``.pth`` without running what is in it; arrays of numpy and mmengine's records of losses
    are let through, for checkpoints of the field have them."""
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    core = np.empty(0).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    let_through: list[Any] = [np.ndarray, np.dtype]
    let_through += [type(np.dtype(kind)) for kind in np.typecodes["AllInteger"] + "?efdSU"]
    let_through += [(_Record, "mmengine.logging.history_buffer.HistoryBuffer")]
    let_through += [(_attribute, "builtins.getattr"), (_attribute, "__builtin__.getattr")]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # before and after numpy 2
        let_through += [(core, f"{module}._reconstruct"), (scalar, f"{module}.scalar")]
    try:
        with torch.serialization.safe_globals(let_through):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        kind = re.search(r"GLOBAL (\S+)", str(error))
        raise UserError(
            f"{path}: holds more than weights ({kind[1] if kind else 'no pickle of torch'}), which "
            "is not opened; save its state_dict alone: torch.save(net.state_dict(), FILE)"
        ) from error
    except Exception as error:  # a damaged pickle fails in any way
        raise UserError(f"{path}: no checkpoint of torch, or only a part of one") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no tensors by name")
    return content
