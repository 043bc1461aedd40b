"""Exported files: what they answer, how our runner opens them, mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import cv2  # noqa: E402
import onnxruntime  # noqa: E402
from commands import Run  # noqa: E402

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.spinepose.crops import IMAGENET, MEAN_RGB, STD_RGB  # noqa: E402
from spinetrack_synth.spinepose.model import estimate, open_pose_model  # noqa: E402
from spinetrack_synth.training.calibration import read_crops  # noqa: E402
from spinetrack_synth.training.checkpoints import FILE, Description, save_checkpoint  # noqa: E402
from spinetrack_synth.training.export import export  # noqa: E402
from spinetrack_synth.training.log import JUDGED, write_rows  # noqa: E402

TINY = (64, 96)


@pytest.fixture(scope="module")
def nets() -> dict[str, tuple[torch.nn.Module, Description]]:
    """Both kinds, with weights large enough to answer something."""
    torch.manual_seed(0)
    made = {}
    for name in ("small", "spinepose-s"):
        description = Description(name, input_hw=TINY, step=12)
        net = description.build()
        last = net.head if name == "small" else net.head.cls_x
        with torch.no_grad():
            for _ in range(4 if name != "small" else 0):
                net(torch.randn(8, 3, *TINY))
            last.weight *= 30
        made[name] = net.eval(), description
    return made


@pytest.fixture(scope="module")
def files(
    nets: dict[str, tuple[torch.nn.Module, Description]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    for name, (net, description) in nets.items():
        export(net, description, folder / f"{name}.onnx")
    return folder


def _answers(path: Path, images: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["input"]
    return session.run(["simcc_x", "simcc_y"], {"input": images})


@pytest.mark.parametrize("name", ["small", "spinepose-s"])
def test_a_file_answers_what_torch_does_for_any_number_of_crops(
    nets: dict[str, tuple[torch.nn.Module, Description]], files: Path, name: str
) -> None:
    net, _ = nets[name]
    model = onnx.load(files / f"{name}.onnx")
    onnx.checker.check_model(model)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    shapes = [
        [side.dim_value or side.dim_param for side in each.type.tensor_type.shape.dim]
        for each in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [["batch", 3, *TINY], ["batch", 37, 192], ["batch", 37, 128]]
    for count in (1, 3):
        images = torch.randn(count, 3, *TINY)
        with torch.no_grad():
            expected = [net.scores(axis).numpy() for axis in net(images)]
        for answer, wanted in zip(_answers(files / f"{name}.onnx", images.numpy()), expected):
            assert answer.shape == wanted.shape
            assert wanted.std() > 1e-3
            assert np.abs(answer - wanted).max() < 1e-4 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("name", ["small", "spinepose-s"])
def test_our_runner_opens_it_and_is_told_everything(
    nets: dict[str, tuple[torch.nn.Module, Description]], files: Path, name: str
) -> None:
    model = open_pose_model(files / f"{name}.onnx", threads=1)
    assert (model.kind, model.keypoints, model.input_size_hw) == ("SimCC", 37, TINY)
    assert model.batch is None
    assert model.normalisation == IMAGENET
    assert model.names == skeleton.NAMES and model.keypoint_map.as_it_stands
    image = np.random.default_rng(0).integers(0, 256, (*TINY, 3), np.uint8)
    inner = np.array([[9.6, 6.4, 76.8, 51.2]])  # the crop is the whole picture
    found = estimate(model, image, inner)
    net, _ = nets[name]
    crop = torch.from_numpy((image - MEAN_RGB) / STD_RGB).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        x, y = (net.scores(axis)[0] for axis in net(crop))
    expected = torch.stack([x.argmax(-1), y.argmax(-1)], dim=-1).numpy() / 2
    near = np.abs(found.keypoints_px[0] - expected).max(axis=-1) < 0.6
    assert near.mean() > 0.9
    tops = torch.minimum(x.amax(-1), y.amax(-1)).numpy()
    assert np.allclose(found.scores[0], tops, atol=0.01)


def test_16_bits_are_half_the_file_and_nearly_the_same(
    nets: dict[str, tuple[torch.nn.Module, Description]], files: Path, tmp_path: Path
) -> None:
    made = export(*nets["small"], tmp_path / "half.onnx", "fp16")
    whole = (files / "small.onnx").stat().st_size
    assert made.size_bytes == made.path.stat().st_size < 0.55 * whole
    assert 0 < made.difference < 0.05
    images = np.random.default_rng(0).normal(0, 1, (2, 3, *TINY)).astype(np.float32)
    pairs = zip(_answers(made.path, images), _answers(files / "small.onnx", images))
    assert all(np.abs(half - full).max() < 0.05 for half, full in pairs)
    assert open_pose_model(made.path).keypoints == 37


@pytest.mark.slow
def test_8_bits_take_a_third_and_stay_near(
    nets: dict[str, tuple[torch.nn.Module, Description]], files: Path, tmp_path: Path
) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (10, *TINY, 3), np.uint8)
    made = export(*nets["small"], tmp_path / "int8.onnx", "int8", crops)
    assert made.size_bytes < 0.42 * (files / "small.onnx").stat().st_size
    graph = onnx.load(made.path).graph
    kept = {tensor.name: tensor.data_type for tensor in graph.initializer}
    eight = [n for n, k in kept.items() if k == onnx.TensorProto.INT8 and n.endswith("_quantized")]
    assert len(eight) == 52  # stem, 17 blocks and the last of MobileNetV2
    images = ((crops[:4] - MEAN_RGB) / STD_RGB).transpose(0, 3, 1, 2).astype(np.float32)
    for coarse, full in zip(_answers(made.path, images), _answers(files / "small.onnx", images)):
        assert np.corrcoef(coarse.ravel(), full.ravel())[0, 1] > 0.9
    assert open_pose_model(made.path).keypoints == 37


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name", ["spinepose-m", "spinepose-l", "spinepose-x", "small-thunder", "small-lite0"]
)
def test_every_other_size_answers_what_torch_does(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    description = Description(name, input_hw=(64, 64))
    net = description.build()
    with torch.no_grad():
        net(torch.randn(8, 3, 64, 64))
    made = export(net.eval(), description, tmp_path / "net.onnx")
    assert made.difference < 1e-4
    assert open_pose_model(made.path).keypoints == 37


def test_weights_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    description = Description("small", input_hw=TINY)
    net = description.build()
    with torch.no_grad():
        net.head.bias[3] = float("nan")
    with pytest.raises(UserError, match=r"not written: the network's head.bias holds NaN"):
        export(net, description, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def _people(folder: Path) -> Path:
    """A COCO file with two pictures: red at the left, blue at the right; three people."""
    (folder / "images").mkdir(parents=True)
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[:, :60, 2], picture[:, 60:, 0] = 255, 255
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / "images" / name), picture)
    images = [{"id": k, "file_name": n, "width": 120, "height": 80} for k, n in enumerate("ab")]
    for image in images:
        image["file_name"] += ".png"
    boxes = [(0, [2, 10, 50, 40]), (0, [64, 10, 50, 40]), (1, [64, 10, 50, 40])]
    annotations = [
        {"id": k, "image_id": image, "category_id": 1, "bbox": box, "iscrowd": 0}
        for k, (image, box) in enumerate(boxes)
    ]
    path = folder / "people.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


def test_crops_are_cut_as_the_runner_cuts_them(tmp_path: Path) -> None:
    path = _people(tmp_path)
    crops = read_crops(path, None, (64, 96))
    assert crops.shape == (3, 64, 96, 3)
    middles = crops[:, 32, 48].tolist()
    assert middles == [[255, 0, 0], [0, 0, 255], [0, 0, 255]]
    assert len(read_crops(path, tmp_path / "images", (64, 96), count=2)) == 2


def test_the_command_writes_a_file_and_tells_mistakes_in_one_line(
    run: Run, nets: dict[str, tuple[torch.nn.Module, Description]], tmp_path: Path
) -> None:
    net, description = nets["small"]
    save_checkpoint(tmp_path / "run" / FILE, net, description)
    columns = ("step", "set", "people", "body_oks", "spine_oks", "feet_oks")
    judged = [
        {"step": 10, "set": "photos", "people": 3, "body_oks": 0.1},
        {"step": description.step, "set": "photos", "people": 3, "body_oks": 0.7},
        {"step": description.step, "set": "held out", "people": 2, "spine_oks": 0.8951},
    ]
    write_rows(tmp_path / "run" / JUDGED, columns, judged)
    people = _people(tmp_path / "data")
    out = tmp_path / "out/m.onnx"
    code, said, _ = run("export", tmp_path / "run", "--out", out, "--precision", "fp16",
                        "--crops", people)  # fmt: skip
    assert code == 0
    size = out.stat().st_size / 1e6
    first, second = said.splitlines()
    assert first == f"{out}: small, 37 keypoints, 64x96, fp16, {size:.1f} MB"
    assert second.startswith("keypoints 0.") and second.endswith("(3 people)")
    notes = {each.key: each.value for each in onnx.load(out).metadata_props}
    accuracy = "mean OKS body 0.700 (3 people of 'photos'); spine 0.895 (2 people of 'held out')"
    assert notes["accuracy"] == accuracy
    other = tmp_path / "other.onnx"
    cases = {
        ("export", tmp_path / "none", "--out", other): "none: no such file; expected a checkpoint",
        ("export", tmp_path, "--out", other): "model.safetensors: no such file",
        ("export", tmp_path / "run", "--out", tmp_path / "m.pt"): "ends in .onnx",
        ("export", tmp_path / "run", "--out", other, "--precision", "int8"): "--crops COCO.json",
        ("export", tmp_path / "run", "--out", other, "--images", tmp_path): "goes with --crops",
        ("export", tmp_path / "run", "--out", other, "--crops", people, "--images", tmp_path):
            "a.png",
    }  # fmt: skip
    for arguments, message in cases.items():
        code, said, err = run(*arguments)
        assert (code, said) == (2, "")
        assert message in err and err.count("\n") == 1
    assert not other.exists() and not (tmp_path / "m.pt").exists()
