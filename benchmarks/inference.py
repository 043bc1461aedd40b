"""Pose estimation: the ``spinepose`` package and ours, on the same pictures and the same networks.

    python benchmarks/inference.py [--wheel-python ENV/bin/python] [--sizes s m l x] [--rounds 5]

The package lives in an environment of its own (``python -m venv ENV; ENV/bin/pip install spinepose
onnxruntime``; it needs torch); without one only ours is measured. What is compared is the overhead
of a call outside the network: both are given a network that answers without computing, so that the
call's time is the overhead. ``estimate`` is given boxes, ``track`` also names and smooths the
people of a video. Both programs take turns; of each the round with the smallest median counts,
because others may use the machine.

``--sizes`` adds whole answers for one person of networks with the layers of RTMPose and random
weights, which are as fast as trained ones: ms on one thread, with our overhead in it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SIZE_HW = (720, 1280)
PEOPLE = (1, 4)
KEYPOINTS = 37
INPUT_HW = {"s": (256, 192), "m": (256, 192), "l": (256, 192), "x": (384, 288)}
DEEPEN_WIDEN = {"s": (0.33, 0.5), "m": (0.67, 0.75), "l": (1.0, 1.0), "x": (1.33, 1.25)}
"""Multipliers of CSPNeXt (RTMDet, Lyu et al. 2022)."""


def scene(people: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture full of noise and the people's boxes (P, 4): left, top, right, bottom."""
    rng = np.random.default_rng(people)
    image = rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)
    left = np.linspace(40, SIZE_HW[1] - 320, people)
    boxes = [(x, 60 + 5 * i, x + 240 + 7 * i, 660 - 9 * i) for i, x in enumerate(left)]
    return image, np.array(boxes, np.float32)


def median_ms(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """A call's time and its CPU time, ms."""
    for _ in range(5):
        call()
    wall, cpu = [], time.process_time()
    for _ in range(calls):
        start = time.perf_counter()
        call()
        wall.append(time.perf_counter() - start)
    return 1e3 * float(np.median(wall)), 1e3 * (time.process_time() - cpu) / calls


def wheel_figures(network: Path, calls: int) -> dict[str, tuple[float, float]]:
    """The package's figures; runs in its environment."""
    from spinepose import PoseTracker, SpinePoseEstimator
    from spinepose.metainfo import metainfo
    from spinepose.tools.pose_estimation import RTMPose

    estimator = SpinePoseEstimator.__new__(SpinePoseEstimator)  # its constructor fetches weights
    estimator.metainfo, estimator.num_keypoints = metainfo, KEYPOINTS
    estimator.version, estimator._lifting_model = "latest", None
    estimator.det_model = object()
    estimator.pose_model = RTMPose(
        str(network), model_input_size=(192, 256), hardware_acceleration=False
    )
    figures = {}
    for people in PEOPLE:
        image, boxes = scene(people)
        estimator.detect = lambda _, boxes=boxes: list(boxes)
        tracker = PoseTracker(lambda **_: estimator, smoothing=True)
        figures[f"estimate {people}"] = median_ms(lambda: estimator(image, list(boxes)), calls)  # noqa: B023
        figures[f"track {people}"] = median_ms(lambda: tracker(image), calls)  # noqa: B023
    return figures


def our_figures(network: Path, calls: int) -> dict[str, tuple[float, float]]:
    """Our figures."""
    from spinetrack_synth.spinepose import SpinePoseEstimator, estimate
    from spinetrack_synth.spinepose.smoothing import OneEuro
    from spinetrack_synth.spinepose.tracking import Tracker

    estimator = SpinePoseEstimator(model=network, detector="whole", provider="cpu")
    figures = {}
    for people in PEOPLE:
        image, corners = scene(people)
        boxes = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        tracker = Tracker(OneEuro())
        frame = 0

        def track() -> None:
            nonlocal frame
            frame += 1
            people = estimate(estimator.model, image, boxes, image_order="bgr")  # noqa: B023
            tracker.update(people, boxes, frame / 30)  # noqa: B023

        figures[f"estimate {people}"] = median_ms(lambda: estimator(image, corners), calls)  # noqa: B023
        figures[f"track {people}"] = median_ms(track, calls)
    return figures


def our_answers(network: Path, calls: int) -> float:
    """Time of an answer for one person on one thread, ms."""
    from spinetrack_synth.spinepose import SpinePoseEstimator

    estimator = SpinePoseEstimator(model=network, detector="whole", provider="cpu", threads=1)
    image, corners = scene(1)
    return median_ms(lambda: estimator(image, corners), calls)[0]


class Graph:
    """An ONNX graph that is built node by node, with random weights."""

    def __init__(self, size_hw: tuple[int, int]) -> None:
        self.size_hw, self.nodes, self.weights = size_hw, [], {}
        self.rng = np.random.default_rng(0)
        self.count = 0

    def weight(self, *shape: int, values: np.ndarray | None = None) -> str:
        name = f"w{len(self.weights)}"
        if values is None:
            scale = 1 / np.sqrt(max(np.prod(shape[1:]), 1))
            values = self.rng.normal(0, scale, shape).astype(np.float32)
        self.weights[name] = values
        return name

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        from onnx import helper

        self.count += 1
        self.nodes.append(helper.make_node(kind, list(inputs), [f"t{self.count}"], **attributes))
        return f"t{self.count}"

    def whole(self, *numbers: int) -> str:
        return self.weight(values=np.array(numbers, np.int64))

    def conv(
        self, x: str, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> str:
        """A convolution with SiLU, as in CSPNeXt (its normalisation is folded into it)."""
        weight = self.weight(outside, inside // groups, kernel, kernel)
        pad = [kernel // 2] * 4
        y = self.node(
            "Conv", x, weight, self.weight(outside), group=groups, pads=pad, strides=[stride] * 2
        )
        return self.node("Mul", y, self.node("Sigmoid", y))

    def block(self, x: str, width: int, add: bool) -> str:
        y = self.conv(x, width, width, 3)
        y = self.conv(y, width, width, 5, groups=width)
        y = self.conv(y, width, width, 1)
        return self.node("Add", x, y) if add else y

    def csp(self, x: str, width: int, blocks: int, add: bool) -> str:
        half = width // 2
        main, short = self.conv(x, width, half, 1), self.conv(x, width, half, 1)
        for _ in range(blocks):
            main = self.block(main, half, add)
        both = self.node("Concat", main, short, axis=1)
        pooled = self.node("GlobalAveragePool", both)
        gate = self.node("Conv", pooled, self.weight(width, width, 1, 1), self.weight(width))
        gated = self.node("Mul", both, self.node("HardSigmoid", gate))
        return self.conv(gated, width, width, 1)

    def linear(self, x: str, inside: int, outside: int) -> str:
        return self.node("MatMul", x, self.weight(inside, outside))

    def save(self, path: Path, outputs: tuple[str, str]) -> Path:
        from onnx import TensorProto, helper, numpy_helper

        height, width = self.size_hw
        names = ("simcc_x", "simcc_y")
        ends = [helper.make_node("Identity", [o], [n]) for o, n in zip(outputs, names)]
        graph = helper.make_graph(
            [*self.nodes, *ends],
            "rtmpose",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, height, width])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", KEYPOINTS, 2 * side])
                for name, side in zip(names, (width, height))
            ],
            [numpy_helper.from_array(values, name) for name, values in self.weights.items()],
        )
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        path.write_bytes(model.SerializeToString())
        return path


def rtmpose(path: Path, size: str) -> tuple[Path, float]:
    """A network with RTMPose's layers, and its parameters in millions."""
    deepen, widen = DEEPEN_WIDEN[size]
    height, width = INPUT_HW[size]
    graph = Graph((height, width))
    channels = [int(c * widen) for c in (64, 128, 256, 512, 1024)]
    x = graph.conv("input", 3, channels[0] // 2, 3, stride=2)
    x = graph.conv(x, channels[0] // 2, channels[0] // 2, 3)
    x = graph.conv(x, channels[0] // 2, channels[0], 3)
    for stage, blocks in enumerate((3, 6, 6, 3)):
        inside, outside = channels[stage : stage + 2]
        x = graph.conv(x, inside, outside, 3, stride=2)
        last = stage == 3
        if last:  # spatial pyramid pooling
            y = graph.conv(x, outside, outside // 2, 1)
            pools = [
                graph.node("MaxPool", y, kernel_shape=[k, k], pads=[k // 2] * 4, strides=[1, 1])
                for k in (5, 9, 13)
            ]
            x = graph.conv(graph.node("Concat", y, *pools, axis=1), outside * 2, outside, 1)
        x = graph.csp(x, outside, max(round(blocks * deepen), 1), add=not last)
    weight = graph.weight(KEYPOINTS, channels[4], 7, 7)
    x = graph.node("Conv", x, weight, graph.weight(KEYPOINTS), pads=[3] * 4)
    cells, hidden, expanded, shared = height // 32 * (width // 32), 256, 512, 128
    x = graph.node("Reshape", x, graph.whole(0, KEYPOINTS, cells))
    x = graph.linear(x, cells, hidden)
    # The gated attention unit.
    uv = graph.linear(x, hidden, 2 * expanded + shared)
    uv = graph.node("Mul", uv, graph.node("Sigmoid", uv))
    gate, value, base = (
        graph.node("Slice", uv, graph.whole(a), graph.whole(b), graph.whole(2))
        for a, b in ((0, expanded), (expanded, 2 * expanded), (2 * expanded, 2 * expanded + shared))
    )
    query, key = (graph.node("Mul", base, graph.weight(1, 1, shared)) for _ in range(2))
    kernel = graph.node("MatMul", query, graph.node("Transpose", key, perm=[0, 2, 1]))
    kernel = graph.node("Relu", kernel)
    attended = graph.node("MatMul", graph.node("Mul", kernel, kernel), value)
    y = graph.linear(graph.node("Mul", gate, attended), expanded, hidden)
    x = graph.node("Add", x, y)
    outputs = graph.linear(x, hidden, 2 * width), graph.linear(x, hidden, 2 * height)
    parameters = sum(values.size for values in graph.weights.values()) / 1e6
    return graph.save(path, outputs), parameters


def silent(path: Path) -> Path:
    """A network that answers the same to everything at once."""
    graph = Graph(INPUT_HW["s"])
    batch = graph.node("Shape", "input", start=0, end=1)
    shape = graph.node("Concat", batch, graph.whole(1, 1), axis=0)
    outputs = [
        graph.node("Expand", graph.weight(1, KEYPOINTS, 2 * side), shape)
        for side in reversed(graph.size_hw)
    ]
    return graph.save(path, (outputs[0], outputs[1]))


def other_side(python: Path, network: Path, calls: int) -> dict[str, tuple[float, float]]:
    """The package's figures, measured in its environment."""
    command = [python, __file__, "--side", network, "--calls", str(calls)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{python}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel-python", type=Path, help="python that can import spinepose")
    parser.add_argument("--sizes", nargs="*", default=[], choices=list(INPUT_HW))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--side", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(wheel_figures(arguments.side, arguments.calls)))
        return
    with tempfile.TemporaryDirectory() as folder:
        network = silent(Path(folder) / "silent.onnx")
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(our_figures(network, arguments.calls))
            if arguments.wheel_python:
                theirs.append(other_side(arguments.wheel_python, network, arguments.calls))
        print("overhead outside the network, 1280 x 720, ms (CPU ms)")
        for name in ours[0]:
            mine = np.min([figures[name] for figures in ours], axis=0)
            line = f"  {name + ' people':20} ours {mine[0]:6.2f} ({mine[1]:6.2f})"
            if theirs:
                other = np.min([figures[name] for figures in theirs], axis=0)
                share = 100 * mine / other
                line += f"   spinepose {other[0]:6.2f} ({other[1]:6.2f})"
                line += f"   {share[0]:.0f}% ({share[1]:.0f}%)"
            print(line)
        if not theirs:
            print("  spinepose: not measured; --wheel-python names a python that has it")
        for size in arguments.sizes:
            path, parameters = rtmpose(Path(folder) / f"{size}.onnx", size)
            answer = min(our_answers(path, 10) for _ in range(arguments.rounds))
            print(f"{size}: {parameters:.2f} M parameters, one person {answer:.1f} ms, one thread")


if __name__ == "__main__":
    main()
