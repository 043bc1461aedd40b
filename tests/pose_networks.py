"""Small ONNX networks with the interface of real ones, whose answers can be foretold."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spinetrack_synth.skeleton import MIRROR, MIRROR_PAIRS
from spinetrack_synth.spinepose.crops import MEAN_RGB, STD_RGB

GREY = 128
"""The background. Every dot has its own direction from it, so that no mixture of the two looks like
another dot: 0.125 (squared) is the least it differs."""

SHARPNESS = 4.0
TILT = 0.1
"""How much the far side of a crop counts."""


def dot_colors(keypoints: int = 37) -> NDArray[np.uint8]:
    """RGB of every keypoint's dot (K, 3); twins share a colour, grey and black are nobody's."""
    levels = [rgb for rgb in product((0, GREY, 255), repeat=3) if len(set(rgb)) > 1]
    levels.append((255, 255, 255))
    colors: dict[int, tuple[int, ...]] = {}
    for index in range(keypoints):
        colors[index] = colors[MIRROR[index]] if MIRROR[index] in colors else levels.pop()
    return np.array([colors[index] for index in range(keypoints)], np.uint8)


def draw_dots(
    image: NDArray[np.uint8], points: NDArray[np.floating], radius: int = 0
) -> NDArray[np.uint8]:
    """A picture (RGB) with a dot at each point (K, 2), integers being pixel centres."""
    for (x, y), color in zip(np.rint(points).astype(int), dot_colors(len(points))):
        image[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1] = color
    return image


def blank(size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """An empty picture."""
    return np.full((*size_hw, 3), GREY, np.uint8)


def scatter(
    rng: np.random.Generator, keypoints: int, size_hw: tuple[int, int], grid: int = 8
) -> NDArray[np.float64]:
    """Points (K, 2) on a grid, no two alike; of twins the left one stands on the right."""
    height, width = size_hw
    cells = [(x, y) for y in range(grid, height, grid) for x in range(grid, width, grid)]
    points = np.array(cells, float)[rng.permutation(len(cells))[:keypoints]]
    for left, right in MIRROR_PAIRS:
        if right < keypoints:
            if points[left, 0] == points[right, 0]:
                points[left, 0] += grid / 2
            if points[left, 0] < points[right, 0]:
                points[[left, right]] = points[[right, left]]
    return points


def dot_network(
    path: Path,
    *,
    keypoints: int = 37,
    size_hw: tuple[int, int] = (256, 192),
    batch: int | str = "N",
    half: bool = False,
    names: tuple[str, str] = ("simcc_x", "simcc_y"),
    color_order: str = "rgb",
    answers: str = "simcc",
    takes: str = "normalised",
    channels_last: bool = False,
    notes: dict[str, str] | None = None,
) -> Path:
    """A network that finds the dots of ``draw_dots``.

    It matches colours; of two dots of the same colour a left keypoint is the one further to the
    right, as in a person who faces the camera, so that a mirror image shows the sides swapped.
    ``answers`` is simcc or heatmaps (a cell for the upper left of 4 x 4 pixels); ``takes``
    normalised, unit (0 to 1, which the graph itself normalises), colours (0 to 255), whole (those
    as 32-bit whole numbers) or bytes; ``notes`` become the file's metadata.
    """
    height, width = size_hw
    dtype = np.float16 if half else np.float32
    floats = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    kind = {"whole": TensorProto.INT32, "bytes": TensorProto.UINT8}.get(takes, floats)
    order = slice(None) if color_order == "rgb" else slice(None, None, -1)
    std = (STD_RGB[order] / 255).reshape(1, 3, 1, 1)
    mean = (MEAN_RGB[order] / 255).reshape(1, 3, 1, 1)
    own = [("Identity", ["floats"], "prepared")]
    if takes == "unit":
        own = [("Sub", ["floats", "mean"], "centred"), ("Div", ["centred", "std"], "normal")]
        own.append(("Clip", ["normal"], "prepared"))
    elif takes != "normalised":
        mean, std = np.zeros_like(mean), np.full_like(std, 1 / 255)
    colors = dot_colors(keypoints)[:, order] / 255
    side = np.zeros(keypoints)
    for left, right in MIRROR_PAIRS:
        if right < keypoints:
            side[left], side[right] = 1, -1
    ramp = np.arange(width) / width
    tilt = TILT * np.where(side[:, None, None] > 0, ramp, side[:, None, None] * (ramp - 1))
    constants = {
        "std": std,
        "mean": mean,
        "weight": 2 * colors[:, :, None, None],
        "bias": -(colors**2).sum(axis=1),
        "sharpness": np.array(SHARPNESS),
        "best": np.array(1.0),
        "tilt": tilt[None],
        "gap": np.array(4.0),
    }
    integers = {
        "channels": [1],
        "rows": [2],
        "columns": [3],
        "bins_x": [0, keypoints, 2 * width],
        "bins_y": [0, keypoints, 2 * height],
        "last": [3],
        "zero": [0, 0],
        "ends": [height, width],
        "both": [2, 3],
        "cell": [4, 4],
    }
    turned = ["input", "planes"] if channels_last else ["input"]
    nodes = [
        helper.make_node("Transpose", turned[:1], turned[1:], perm=[0, 3, 1, 2]) for _ in turned[1:]
    ] + [
        helper.make_node("Cast", turned[-1:], ["floats"], to=floats),
        *[helper.make_node(kind_, inputs, [output]) for kind_, inputs, output in own],
        helper.make_node("Mul", ["prepared", "std"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], ["color"]),
        helper.make_node("Mul", ["color", "color"], ["squared"]),
        helper.make_node("ReduceSum", ["squared", "channels"], ["length"], keepdims=1),
        helper.make_node("Conv", ["color", "weight", "bias"], ["product"]),
        helper.make_node("Sub", ["product", "length"], ["same"]),
        helper.make_node("Mul", ["same", "sharpness"], ["sharp"]),
        helper.make_node("Add", ["sharp", "best"], ["match"]),
        helper.make_node("Add", ["match", "tilt"], ["tilted"]),
    ]
    if answers == "heatmaps":
        nodes.append(
            helper.make_node("Slice", ["tilted", "zero", "ends", "both", "cell"], ["heatmaps"])
        )
    lines = (("x", "rows", names[0]), ("y", "columns", names[1])) if answers == "simcc" else ()
    for axis, reduced, name in lines:
        nodes += [
            helper.make_node("ReduceMax", ["tilted", reduced], [f"line_{axis}"], keepdims=0),
            helper.make_node("Sub", [f"line_{axis}", "gap"], [f"low_{axis}"]),
            helper.make_node("Unsqueeze", [f"line_{axis}", "last"], [f"even_{axis}"]),
            helper.make_node("Unsqueeze", [f"low_{axis}", "last"], [f"odd_{axis}"]),
            helper.make_node("Concat", [f"even_{axis}", f"odd_{axis}"], [f"both_{axis}"], axis=3),
            helper.make_node("Reshape", [f"both_{axis}", f"bins_{axis}"], [name]),
        ]
    graph = helper.make_graph(
        nodes,
        "dots",
        [
            helper.make_tensor_value_info(
                "input",
                kind,
                [batch, height, width, 3] if channels_last else [batch, 3, height, width],
            )
        ],
        [
            helper.make_tensor_value_info(names[0], floats, [batch, keypoints, 2 * width]),
            helper.make_tensor_value_info(names[1], floats, [batch, keypoints, 2 * height]),
        ]
        if answers == "simcc"
        else [
            helper.make_tensor_value_info(
                "heatmaps", floats, [batch, keypoints, height // 4, width // 4]
            )
        ],
        [numpy_helper.from_array(np.asarray(v, dtype), n) for n, v in constants.items()]
        + [numpy_helper.from_array(np.array(v, np.int64), n) for n, v in integers.items()],
    )
    return save(graph, path, notes)


def marker_detector(
    path: Path, colors: list[tuple[int, int, int]], size_hw: tuple[int, int]
) -> Path:
    """A detector of YOLOX's interface with suppression: a box around all pixels of each RGB."""
    height, width = size_hw
    nodes, corners, scores = [], [], []
    constants = {"far": np.array(900.0, np.float32)}
    for number, color in enumerate(colors):
        constants[f"color{number}"] = np.array(color[::-1], np.float32).reshape(1, 3, 1, 1)

        def add(kind: str, *inputs: str, end: str, number: int = number, **more: object) -> str:
            nodes.append(helper.make_node(kind, list(inputs), [f"{end}{number}"], **more))
            return f"{end}{number}"

        away = add("Sub", "input", f"color{number}", end="away")
        squared = add("Mul", away, away, end="squared")
        distance = add("ReduceSum", squared, "channels", end="distance", keepdims=0)
        near = add("Less", distance, "far", end="near")
        mask = add("Cast", near, end="mask", to=TensorProto.FLOAT)
        for axis, line in (("rows", "column"), ("columns", "row")):
            hit = add("ReduceMax", mask, axis, end=f"hit_{line}", keepdims=0)
            for last in (0, 1):
                index = add(
                    "ArgMax", hit, end=f"index_{line}{last}_", axis=1, keepdims=1,
                    select_last_index=last,
                )  # fmt: skip
                add("Cast", index, end=f"{line}{last}_", to=TensorProto.FLOAT)
        there = add("ReduceMax", mask, "both", end="there", keepdims=0)
        score = add("Unsqueeze", there, "last", end="score")
        parts = [f"{line}{last}_{number}" for last in (0, 1) for line in ("column", "row")]
        corners.append(add("Concat", *parts, score, end="box", axis=1))
        scores.append(score)
    nodes += [
        helper.make_node("Concat", corners, ["flat"], axis=0),
        helper.make_node("Unsqueeze", ["flat", "first"], ["dets"]),
        helper.make_node("Identity", ["kinds"], ["labels"]),
    ]
    integers = {
        "channels": [1], "rows": [1], "columns": [2], "both": [1, 2], "last": [1], "first": [0],
        "kinds": [[0] * len(colors)],
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "markers",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, height, width])],
        [
            helper.make_tensor_value_info("dets", TensorProto.FLOAT, [1, len(colors), 5]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, [1, len(colors)]),
        ],
        [numpy_helper.from_array(v, n) for n, v in constants.items()]
        + [numpy_helper.from_array(np.array(v, np.int64), n) for n, v in integers.items()],
    )
    return save(graph, path)


def constant_network(
    path: Path,
    outputs: dict[str, NDArray],
    *,
    input_shape: tuple[int | str, ...] = (1, 3, 256, 192),
    kind: int = TensorProto.FLOAT,
    notes: dict[str, str] | None = None,
) -> Path:
    """A network that answers the same whatever it sees."""
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in outputs.items()
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("input", kind, list(input_shape))],
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in outputs.items()
        ],
    )
    return save(graph, path, notes)


def save(graph: onnx.GraphProto, path: Path, notes: dict[str, str] | None = None) -> Path:
    opset = helper.make_opsetid("", 18)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
    helper.set_model_props(model, notes or {})
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def stage_files(folder: Path) -> None:
    """What the pages' commands name: M.onnx, photo.jpg and clip.mp4 with one person of dots."""
    import cv2

    dot_network(folder / "M.onnx")
    figure = scatter(np.random.default_rng(5), 37, (150, 110))
    shifts = [np.array([100 + 5 * frame, 60]) for frame in range(6)]
    pictures = [draw_dots(blank((288, 512)), figure + shift, 1) for shift in shifts]
    assert cv2.imwrite(str(folder / "photo.jpg"), pictures[0][..., ::-1])
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(folder / "clip.mp4"), codec, 30, (512, 288))
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()
