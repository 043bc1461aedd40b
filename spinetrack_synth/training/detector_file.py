"""The ONNX file of the person detector that comes inside the package, made of MoveNet's weights."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.spinepose.packaged import ACCURACY
from spinetrack_synth.training.export import OPSET, keep_in_16_bits
from spinetrack_synth.training.networks.movenet_package import LICENSE, PACKAGE, VERSION
from spinetrack_synth.training.networks.person_detector import PersonDetector

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

SIDE: Final = 320
"""Pixels. Larger inputs find more of the small people and lose large ones, as the network knows
people of 256 pixels at most: AP50 on COCO-MINI's validation photos is .610, .630, .632, .638 and
.579 at 256, 320, 384, 416 and 512, AP .429, .463, .435, .428 and .358."""

LEAST_KEPT: Final = 1024
"""Numbers of a tensor below which 8 bits save nothing."""


def detector_file(net: PersonDetector, side: int = SIDE, accuracy: str = "") -> bytes:
    """The network as an ONNX file for pictures (1, 3, side, side), which ``spinepose.detector``
    opens; its weights are kept in 8 or 16 bits and computed with in 32. ``accuracy`` is a
    line about what was measured on what, for the file's notes."""
    import onnx
    from onnx import helper

    stream = io.BytesIO()
    with warnings.catch_warnings():
        # torch would rather trace through its compiler, which makes no opset below 18.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(),
            (torch.zeros(1, 3, side, side),),
            stream,  # type: ignore[arg-type]  # the path that torch asks for may be a stream
            input_names=["input"],
            output_names=["people"],
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(stream.getvalue())
    _in_few_bits(model)
    notes = {
        "network": "MoveNet multipose's person detector",
        "source": f"npm {PACKAGE} {VERSION}",
        "licence": LICENSE,
        "input_hw": json.dumps([side, side]),
        "precision": "weights in 8 and 16 bits",
        **({ACCURACY: accuracy} if accuracy else {}),
    }
    helper.set_model_props(model, notes)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _in_few_bits(model: ModelProto) -> None:
    """Weights of convolutions across channels in 8 bits with a scale for each answer, the others in
    the 16 that they come in, followed by what makes 32 bits of them; runtimes do that once.

    Those within a channel are a fiftieth of all, and in 8 bits cost .01 of AP50.
    """
    from onnx import TensorProto, helper, numpy_helper

    weights = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    nodes: list[NodeProto] = []
    scales = []
    for tensor in model.graph.initializer:
        name = tensor.name
        if name not in weights or tensor.dims[1] == 1 or np.prod(tensor.dims) < LEAST_KEPT:
            continue
        values = numpy_helper.to_array(tensor)
        highest = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
        scale = np.where(highest > 0, highest, 1) / np.float32(127)
        kept = np.rint(values / scale).astype(np.int8)
        tensor.CopyFrom(numpy_helper.from_array(kept, f"{name}_int8"))
        scales.append(numpy_helper.from_array(scale, f"{name}_scale"))
        wide = f"{name}_wide"
        nodes.append(helper.make_node("Cast", [f"{name}_int8"], [wide], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [wide, f"{name}_scale"], [name]))
    keep_in_16_bits(model)
    model.graph.initializer.extend(scales)
    nodes += model.graph.node
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def write_detector(net: PersonDetector, out: Path, accuracy: str = "") -> int:
    """Write the file, whole or not at all; returns its size in bytes."""
    content = detector_file(net, accuracy=accuracy)
    write_atomic(out, content)
    return len(content)
