"""ONNX files of networks, as our runner and the ``spinepose`` package take them.

One input ``input`` (N, 3, H, W), normalised by ImageNet's mean and deviation, and two outputs
``simcc_x`` (N, K, 2W) and ``simcc_y`` (N, K, 2H), for any N; keypoints' names, colours and what
network it is in the metadata (``spinepose.metadata``).
"""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import simcc
from spinetrack_synth.spinepose.crops import IMAGENET, MEAN_RGB, STD_RGB
from spinetrack_synth.spinepose.model import COUNTED_SCORE
from spinetrack_synth.spinepose.packaged import ACCURACY
from spinetrack_synth.training.checkpoints import Description

if TYPE_CHECKING:
    from onnx import ModelProto

Precision = Literal["fp32", "fp16", "int8"]
Crops = NDArray[np.uint8]

OPSET: Final = 17
OUTPUTS: Final = ("simcc_x", "simcc_y")

PARITY: Final = 1e-4
"""How far what a file of 32 bits answers may be from torch, of the largest answer or of 1."""

TRIED: Final = 16
"""Crops on which a file is held against torch; of noise, where none are given, a quarter."""

LEAST_KEPT: Final = 64
"""Numbers of a tensor below which 16 bits save nothing."""

NET: Final = "/net/"
"""How nodes of the network itself are called; the others make scores of its logits."""

QUANTIZED: Final = ("Conv", "Clip", "Relu")
"""With what clips it, a convolution's answer keeps the range that is left; without, that of what is
cut off too (mean OKS of 300 people .691 and .606 with all convolutions in 8 bits, before .701)."""

STEP: Final = 8
"""Crops in one call while ranges are looked for."""


@dataclass(frozen=True)
class Exported:
    """A file that was written: its size, how far its answers are from torch at most, and by how
    many pixels of the crop the keypoints that torch is sure of (a score above .2) have moved in the
    mean, over ``tried`` crops."""

    path: Path
    precision: Precision
    size_bytes: int
    difference: float
    moved_px: float
    tried: int


class _Answering(nn.Module):
    """A network with its scores, as a file answers."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self.net(images)
        return self.net.scores(x), self.net.scores(y)  # type: ignore[operator]


def export(
    net: nn.Module,
    description: Description,
    out: Path,
    precision: Precision = "fp32",
    crops: Crops | None = None,
    accuracy: str = "",
) -> Exported:
    """Write a network as an ONNX file, which is whole or not there.

    ``fp16`` keeps weights in 16 bits, which are computed with in 32: half the size, the same speed.
    ``int8`` computes the trunk's convolutions in 8 bits, whose ranges are those found on ``crops``
    (N, H, W, 3) RGB. ``accuracy`` is a line about what was measured on what, for the file's notes.
    The file is held against torch on some of the crops, or on noise. Raises UserError where int8
    has no crops, where weights are no numbers, where 32 bits are further than ``PARITY`` from
    torch, and where the file cannot be written.
    """
    if precision == "int8" and (crops is None or not len(crops)):
        raise UserError("int8 finds its ranges on crops of people: give some")
    for name, tensor in net.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise UserError(f"{out}: not written: the network's {name} holds NaN or infinity")
    answering = _Answering(net).eval()
    model = _graph(answering, description)
    if precision == "fp16":
        keep_in_16_bits(model)
    elif precision == "int8":
        model = _quantized(model, net, _normalised(crops))
    _note(model, description, precision, accuracy)
    content = model.SerializeToString()
    tried = _normalised(_spread(crops, TRIED)) if crops is not None else _noise(description)
    difference, moved_px = _compared(answering, content, tried)
    if precision == "fp32" and not difference <= PARITY:
        raise UserError(
            f"{out}: not written: what it answers is {difference:.1g} from torch, expected "
            f"{PARITY:.0e} at most"
        )
    write_atomic(out, content)
    return Exported(out, precision, len(content), difference, moved_px, len(tried))


def _graph(answering: nn.Module, description: Description) -> ModelProto:
    """The network in 32 bits, what does not depend on the picture computed beforehand."""
    import onnx

    height, width = description.input_hw
    stream = io.BytesIO()
    free = {name: {0: "batch"} for name in ("input", *OUTPUTS)}
    with warnings.catch_warnings():
        # torch would rather trace through its compiler, which makes no opset below 18.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            answering,
            (torch.zeros(2, 3, height, width),),
            stream,  # type: ignore[arg-type]  # the path that torch asks for may be a stream
            input_names=["input"],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            dynamic_axes=free,
            dynamo=False,
        )
    model = _folded(onnx.load_from_string(stream.getvalue()))
    for output, bins in zip(model.graph.output, (2 * width, 2 * height)):
        sides = output.type.tensor_type.shape.dim
        sides[1].dim_value, sides[2].dim_value = len(description.keypoints), bins
    return model


def _folded(model: ModelProto) -> ModelProto:
    """A model with constants computed and nodes that do nothing left out."""
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folded.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        folded = onnx.load(path)
    used = {node.domain for node in folded.graph.node}
    opsets = [opset for opset in folded.opset_import if opset.domain in used]
    del folded.opset_import[:]
    folded.opset_import.extend(opsets)
    return folded


def keep_in_16_bits(model: ModelProto) -> None:
    """Weights in 16 bits, each followed by what makes 32 of them; runtimes do that once."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < LEAST_KEPT:
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        if not np.abs(values).max() <= np.finfo(np.float16).max:
            raise UserError(f"weights of {name} do not fit into 16 bits; export fp32")
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _quantized(model: ModelProto, net: nn.Module, images: NDArray[np.float32]) -> ModelProto:
    """The model with convolutions in 8 bits, by ranges found on normalised crops."""
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    precise = tuple(f"{NET}{part}" for part in net.precise)  # type: ignore[union-attr]
    chosen = [
        node.name
        for node in model.graph.node
        if node.op_type in QUANTIZED
        and node.name.startswith(NET)
        and not node.name.startswith(precise)
    ]
    add_pre_process_metadata(model)  # else it advises to do what was done
    with tempfile.TemporaryDirectory() as folder:
        quantized = str(Path(folder) / "int8.onnx")
        quantize_static(
            model,
            quantized,
            _Shown(images),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=chosen,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(quantized)


class _Shown:
    """Normalised crops in the form in which onnxruntime's quantizer asks for them."""

    def __init__(self, images: NDArray[np.float32]) -> None:
        self.parts = iter(np.split(images, range(STEP, len(images), STEP)))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        part = next(self.parts, None)
        return None if part is None else {"input": part}


def _note(model: ModelProto, description: Description, precision: Precision, accuracy: str) -> None:
    """Write down what the network is, for our runner and for people."""
    from onnx import helper

    notes = {
        "names": json.dumps(description.keypoints),
        "mean": json.dumps(IMAGENET.mean_rgb),
        "std": json.dumps(IMAGENET.std_rgb),
        "color_order": "rgb",
        "network": description.name,
        "input_hw": json.dumps(description.input_hw),
        "step": str(description.step),
        "precision": precision,
        **({ACCURACY: accuracy} if accuracy else {}),
    }
    helper.set_model_props(model, notes)


def _normalised(crops: Any) -> NDArray[np.float32]:
    """Crops (N, H, W, 3) RGB as (N, 3, H, W), normalised by ImageNet's mean and deviation."""
    planes = (np.asarray(crops, np.float32) - MEAN_RGB) / STD_RGB
    return np.ascontiguousarray(planes.transpose(0, 3, 1, 2))


def _spread(crops: Crops, count: int) -> Crops:
    """Some of the crops, from first to last."""
    some: Crops = crops[np.unique(np.linspace(0, len(crops) - 1, count).astype(int))]
    return some


def _noise(description: Description) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 1, (TRIED // 4, 3, *description.input_hw)).astype(np.float32)


def _compared(
    answering: nn.Module, content: bytes, images: NDArray[np.float32]
) -> tuple[float, float]:
    """Largest difference of a file's answers from torch's, of the largest answer or of 1, and the
    mean distance in pixels of the keypoints that torch is sure of."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    theirs = session.run(list(OUTPUTS), {"input": images})
    with torch.no_grad():
        ours = [axis.numpy() for axis in answering(torch.from_numpy(images))]
    away = [
        float(np.abs(a - b).max() / max(1.0, float(np.abs(b).max()))) for a, b in zip(theirs, ours)
    ]
    found, _ = simcc.decode(*theirs, sub_bin=True)
    expected, scores = simcc.decode(*ours, sub_bin=True)
    moved = np.linalg.norm(found - expected, axis=-1)[scores > COUNTED_SCORE]
    return max(away), float(moved.mean()) if moved.size else 0.0
