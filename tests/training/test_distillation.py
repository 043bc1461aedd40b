"""Teachers with known answers: in torch, as ONNX networks of several kinds, and saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

import pose_networks  # noqa: E402

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.coco.writing import encode  # noqa: E402
from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.spinepose import simcc  # noqa: E402
from spinetrack_synth.training.checkpoints import Description, save_checkpoint  # noqa: E402
from spinetrack_synth.training.distillation import (  # noqa: E402
    OnnxTeacher,
    TorchTeacher,
    distillation,
    normalised,
)
from spinetrack_synth.training.distributions import expected_points, label_logits  # noqa: E402
from spinetrack_synth.training.loss_config import LossConfig, TeacherConfig, Term  # noqa: E402
from spinetrack_synth.training.losses import total_loss  # noqa: E402
from spinetrack_synth.training.networks.build import build  # noqa: E402
from spinetrack_synth.training.teachers import open_teacher  # noqa: E402

HW = (64, 48)
IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LIMBS = ("left_knee", "right_knee", "neck", "left_wrist")


@dataclass
class Shown:
    images: NDArray[np.uint8]
    source: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    person: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    picture2crop: NDArray[np.float64] = field(default_factory=lambda: IDENTITY[None])


@dataclass
class File:
    annotations: Path


@dataclass
class Some:
    config: File
    pictures: tuple[Path, ...]
    picture: NDArray[np.int64]
    boxes_xywh: NDArray[np.float64]
    ids: NDArray[np.int64]


def dotted(count: int = 3, keypoints: int = 37) -> tuple[Shown, NDArray[np.float64]]:
    """Crops with a dot at every keypoint, and where those are."""
    rng = np.random.default_rng(4)
    points = np.stack([pose_networks.scatter(rng, keypoints, HW, grid=4) for _ in range(count)])
    images = np.stack([pose_networks.draw_dots(pose_networks.blank(HW), each) for each in points])
    return Shown(images), points


def brightest(planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A network whose four points lie around the brightest pixel, each at its own distance."""
    flat = planes.sum(1).flatten(1).argmax(-1)
    place = torch.stack([flat % HW[1], flat // HW[1]], -1).float()
    offsets = torch.tensor([[0.0, 0.0], [3.0, -2.0], [-4.0, 5.0], [2.5, 2.5]])
    return label_logits(place[:, None] + offsets, HW[1], HW[0])


def bright(count: int) -> Shown:
    rng = np.random.default_rng(1)
    images = np.zeros((count, *HW, 3), np.uint8)
    for number, image in enumerate(images, 1):
        image[8 * number + rng.integers(8), rng.integers(10, HW[1] - 10)] = 255
    return Shown(images)


def test_a_student_converges_to_its_teacher_on_the_teachers_points_alone() -> None:
    teacher = TorchTeacher(brightest, LIMBS, 0.3)
    shown = bright(6)
    answer = teacher.answer(shown)
    known = [skeleton.INDEX[name] for name in LIMBS]
    assert teacher.names == tuple(sorted(LIMBS, key=skeleton.INDEX.get))
    made = torch.Generator().manual_seed(0)
    red = torch.from_numpy(shown.images[:, None, :, :, 0]).float() / 255
    pixels = torch.nn.functional.max_pool2d(red, 8).flatten(1)
    layers = [
        (0.1 * torch.randn(pixels.shape[1], 37 * 2 * side, generator=made)).requires_grad_()
        for side in (HW[1], HW[0])
    ]

    def student() -> tuple[torch.Tensor, torch.Tensor]:
        x, y = ((pixels @ layer).view(len(pixels), 37, -1) for layer in layers)
        return x, y

    before = [axis.detach().clone() for axis in student()]
    nothing = torch.zeros(6, 37)
    off = Term(0.0)
    config = LossConfig(structure=off, smoothness=off, spine_shape=off, temperature=2.0)
    for _ in range(50):
        labels = torch.full((6, 37, 2), torch.nan)
        loss, _ = total_loss(student(), labels, nothing, answer, 0, config)
        for layer, slope in zip(layers, torch.autograd.grad(loss, layers)):
            layer.data -= 0.5 * slope / slope.abs().max()
    learnt = expected_points(student())
    wanted = expected_points(brightest(torch.from_numpy(shown.images).permute(0, 3, 1, 2).float()))
    assert (learnt[:, known] - wanted).norm(dim=-1).max().item() < 0.5
    others = [index for index in range(37) if index not in known]
    for axis, was in zip(student(), before):
        assert torch.equal(axis[:, others], was[:, others])
        assert not torch.equal(axis[:, known], was[:, known])


def test_a_teacher_that_is_not_sure_does_not_count() -> None:
    def half_sure(planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = brightest(planes)
        x[:, 1] = 0.0
        return x, y

    answer = TorchTeacher(half_sure, LIMBS, 0.3).answer(bright(2))
    counted = [skeleton.INDEX[name] for name in ("left_knee", "neck", "left_wrist")]
    assert answer.weight[0].nonzero().ravel().tolist() == sorted(counted)


def test_points_to_ignore_are_not_taught() -> None:
    teacher = TorchTeacher(brightest, LIMBS, 0.3, ignore=("neck",))
    assert "neck" not in teacher.names
    assert not teacher.answer(bright(2)).weight[:, skeleton.INDEX["neck"]].any()


def test_teachers_of_other_points_are_refused_in_one_line() -> None:
    with pytest.raises(UserError, match=r"^m\.pt: the teacher knows none .* its are paw, tail$"):
        TorchTeacher(brightest, ("paw", "tail"), 0.3, title="m.pt")
    with pytest.raises(UserError, match=r"none .* but those to ignore \(neck\)$"):
        TorchTeacher(brightest, ("neck",), 0.3, ignore=("neck",))
    three = TorchTeacher(brightest, LIMBS[:3], 0.3, title="m.pt")
    with pytest.raises(UserError, match=r"^m\.pt: answers \(4, 96\) .* expected \(3, 96\)"):
        three.answer(bright(1))
    small = TorchTeacher(brightest, LIMBS, 0.3)
    with pytest.raises(UserError, match="exported to ONNX"):
        small.answer(Shown(np.zeros((1, 32, 24, 3), np.uint8)))


def opened(path: Path, **others: object) -> OnnxTeacher:
    teacher = open_teacher(TeacherConfig(network=path, **others), [], threads=1)  # type: ignore[arg-type]
    assert isinstance(teacher, OnnxTeacher)
    return teacher


@pytest.mark.parametrize("batch", ["N", 2])
def test_onnx_simcc_teaches_its_distributions(tmp_path: Path, batch: int | str) -> None:
    shown, points = dotted()
    path = pose_networks.dot_network(tmp_path / "m.onnx", size_hw=HW, batch=batch)
    teacher = opened(path)
    answer = teacher.answer(shown)
    assert teacher.names == skeleton.NAMES and bool(answer.weight.all())
    found, _ = simcc.decode(*(axis.numpy() for axis in answer.logits))
    assert np.abs(found - points).max() < 0.6
    session = teacher.model.session
    fed = (shown.images[:2].astype(np.float32) - pose_networks.MEAN_RGB) / pose_networks.STD_RGB
    raw_x, _ = session.run(None, {"input": fed.transpose(0, 3, 1, 2).astype(np.float32)})
    assert np.abs(answer.logits[0][:2].numpy() - 10 * raw_x).max() < 1e-3


@pytest.mark.parametrize("how", ["heatmaps", "half size"])
def test_onnx_of_other_answers_teaches_its_coordinates(tmp_path: Path, how: str) -> None:
    size = HW if how == "heatmaps" else (32, 24)
    rng = np.random.default_rng(4)
    points = pose_networks.scatter(rng, 26, size, grid=4)[None].round()
    small = pose_networks.draw_dots(pose_networks.blank(size), points[0])
    scale = HW[0] // size[0]
    images = small.repeat(scale, axis=0).repeat(scale, axis=1)[None]
    answers = "heatmaps" if how == "heatmaps" else "simcc"
    path = pose_networks.dot_network(
        tmp_path / "m.onnx", size_hw=size, answers=answers, keypoints=26
    )
    answer = opened(path).answer(Shown(images))
    wanted = scale * points
    sure = answer.weight.bool().numpy()[:, :26]
    off = np.abs(expected_points(answer.logits).numpy()[:, :26] - wanted).max(-1)
    assert sure.mean() > 0.8 and off[sure].max() <= 2.5
    labels = label_logits(expected_points(answer.logits), HW[1], HW[0])
    assert distillation(labels, answer).item() < 0.05  # they have the form of labels


def test_a_network_of_17_points_teaches_17(tmp_path: Path) -> None:
    shown, points = dotted(2, keypoints=17)
    path = pose_networks.dot_network(tmp_path / "m.onnx", size_hw=HW, keypoints=17)
    answer = opened(path, ignore=("nose",)).answer(shown)
    assert answer.weight.sum(0).nonzero().ravel().tolist() == list(range(1, 17))
    found, _ = simcc.decode(*(axis.numpy() for axis in answer.logits))
    assert np.abs(found[:, 1:17] - points[:, 1:]).max() < 0.6


def test_movenets_coordinates_become_targets(tmp_path: Path) -> None:
    told = np.tile(np.array([0.25, 0.5, 0.9], np.float32), (17, 1))  # y, x, score
    told[3, 2] = 0.1
    path = pose_networks.constant_network(
        tmp_path / "m.onnx", {"out": told[None, None]}, input_shape=(1, 64, 64, 3)
    )
    answer = opened(path).answer(bright(2))
    expected = [index for index in range(17) if index != 3]
    assert answer.weight[0].nonzero().ravel().tolist() == expected
    places = expected_points(answer.logits)[:, expected]
    assert (places[..., 0] - HW[1] / 2).abs().max().item() < 1
    assert (places[..., 1] - places[0, 0, 1]).abs().max().item() < 1e-3


def test_a_network_that_answers_nan_is_refused(tmp_path: Path) -> None:
    bad = {name: np.full((1, 37, 2 * side), np.nan, np.float32) for name, side in
           (("simcc_x", HW[1]), ("simcc_y", HW[0]))}  # fmt: skip
    path = pose_networks.constant_network(tmp_path / "m.onnx", bad, input_shape=(1, 3, *HW))
    with pytest.raises(UserError, match="the teacher answers no numbers"):
        opened(path).answer(bright(1))


def test_a_checkpoint_of_ours_teaches_what_it_answers(tmp_path: Path) -> None:
    names = skeleton.NAMES[:17]
    torch.manual_seed(0)
    hw = (64, 32)
    net = build("small", keypoints=17, input_hw=hw)
    path = tmp_path / "m.safetensors"
    save_checkpoint(path, net, Description("small", names, hw, 3))
    teacher = open_teacher(TeacherConfig(network=path, least_score=0.0), [])
    assert teacher.names == names
    shown = Shown(bright(2).images[:, :, :32])
    answer = teacher.answer(shown)
    with torch.no_grad():
        x, y = net.eval()(normalised(shown.images, "cpu"))
    assert torch.equal(answer.logits[0][:, :17], x) and torch.equal(answer.logits[1][:, :17], y)
    assert bool(answer.weight[:, :17].all()) and not answer.weight[:, 17:].any()
    with pytest.raises(UserError, match="tells its keypoints itself"):
        open_teacher(TeacherConfig(network=path, keypoints=("nose",)), [])
    with pytest.raises(UserError, match="no such file"):
        open_teacher(TeacherConfig(network=tmp_path / "gone.safetensors"), [])


def people(tmp_path: Path) -> Some:
    """Two people in one picture, one in another."""
    images = [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}]
    path = tmp_path / "people.json"
    path.write_text(encode({"images": images, "annotations": []}))
    boxes = np.array([[0, 0, 40, 60], [100, 0, 40, 60], [10, 10, 40, 60]], float)
    pictures = (Path("/p/a.jpg"), Path("/p/b.jpg"))
    return Some(File(path), pictures, np.array([0, 0, 1]), boxes, np.array([31, 32, 40]))


def saved(tmp_path: Path, points: NDArray[np.float64], **others: object) -> list[dict]:
    """A result for each person; keypoint 5 without a place, 6 unsure."""
    results = []
    for row, (each, box) in enumerate(zip(points, people(tmp_path).boxes_xywh)):
        triples = np.column_stack([each, np.full(37, 0.9)])
        triples[5], triples[6, 2] = 0, 0.1
        results.append({
            "image_id": (7, 7, 9)[row], "category_id": 1, "score": 0.9, "bbox": (box + 1).tolist(),
            "keypoints": triples.ravel().tolist(),
        })  # fmt: skip
    return results


def open_saved(tmp_path: Path, results: list[dict], **others: object):
    path = tmp_path / "results.json"
    path.write_text(encode(results))
    config = TeacherConfig(predictions=path, **others)  # type: ignore[arg-type]
    return open_teacher(config, [people(tmp_path)])


@pytest.mark.parametrize("by", ["annotation", "number", "name"])
def test_saved_predictions_are_moved_into_every_crop(tmp_path: Path, by: str) -> None:
    points = np.random.default_rng(0).uniform(100, 140, (3, 37, 2))
    results = saved(tmp_path, points)
    for row, result in enumerate(results):
        if by == "annotation":
            result["annotation_id"] = (31, 32, 40)[row]
        if by == "name":
            result |= {"image_id": 0, "file_name": "elsewhere/" + ("a.jpg", "a.jpg", "b.jpg")[row]}
    results.insert(0, {**results[0], "bbox": [500, 500, 40, 60], "annotation_id": 99})
    if by != "annotation":
        results[0].pop("annotation_id")
    teacher = open_saved(tmp_path, results)
    turn = np.array([[0.0, -0.5], [0.5, 0.0]])
    mirror = np.array([[-0.5, 0.0], [0.0, 0.5]])
    moves = np.stack([
        np.column_stack([turn, [85, -30]]), np.column_stack([mirror, [80, -30]]),
    ])  # fmt: skip
    shown = Shown(np.zeros((2, *HW, 3), np.uint8), np.zeros(2, int), np.array([1, 2]), moves)
    answer = teacher.answer(shown)
    found = expected_points(answer.logits).numpy()
    counted = [index for index in range(37) if index not in (5, 6)]
    assert answer.weight[0].nonzero().ravel().tolist() == counted
    wanted = points[1] @ turn.T + [85, -30]
    assert np.abs(found[0] - wanted)[counted].max() < 0.1
    # Mirrored, the left shoulder is where the right one would be looked for: both are missing.
    assert answer.weight[1].nonzero().ravel().tolist() == counted
    wanted = (points[2] @ mirror.T + [80, -30])[list(skeleton.MIRROR)]
    assert np.abs(found[1] - wanted)[counted].max() < 0.1


def test_saved_predictions_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    points = np.full((3, 37, 2), 20.0)
    results = saved(tmp_path, points)
    with pytest.raises(UserError, match=r"none of its 3 results is of anybody in people\.json"):
        open_saved(tmp_path, [{**each, "image_id": 1} for each in results])
    with pytest.raises(UserError, match="results of 14 keypoints, expected 37, 26 or 17"):
        open_saved(tmp_path, [{**each, "keypoints": each["keypoints"][:42]} for each in results])
    with pytest.raises(UserError, match="knows none of SpineTrack's 37 keypoints: its are a, a"):
        short = [{**each, "keypoints": each["keypoints"][:42]} for each in results]
        open_saved(tmp_path, short, keypoints=("a",) * 14)
    with pytest.raises(UserError, match=r"\[1\].keypoints: expected x, y and score"):
        open_saved(tmp_path, [results[0], {**results[1], "keypoints": [1.0]}])


def test_saved_predictions_of_another_source_with_the_same_ids_teach_nobody(tmp_path: Path) -> None:
    results = saved(tmp_path, np.full((3, 37, 2), 20.0))
    for result, number in zip(results, (31, 32, 40)):
        result |= {"annotation_id": number, "file_name": "images/c.jpg"}
    with pytest.raises(UserError, match=r"none of its 3 results is of anybody in people\.json"):
        open_saved(tmp_path, results)
    results[1]["file_name"] = "images/a.jpg"
    teacher = open_saved(tmp_path, results)
    assert [bool(np.isfinite(each).any()) for each in teacher.scores[0]] == [False, True, False]


def test_a_person_without_a_saved_prediction_is_not_taught(tmp_path: Path) -> None:
    teacher = open_saved(tmp_path, saved(tmp_path, np.full((3, 37, 2), 20.0))[:1])
    answer = teacher.answer(
        Shown(np.zeros((2, *HW, 3), np.uint8), np.zeros(2, int), np.array([0, 2]),
              np.stack([IDENTITY, IDENTITY]))
    )  # fmt: skip
    assert answer.weight[0].sum() == 35 and not answer.weight[1].any()
    assert all(torch.isfinite(axis).all() for axis in answer.logits)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "expected one of network and predictions"),
        ({"network": Path("a"), "predictions": Path("b")}, "expected one of"),
        ({"network": Path("a"), "ignore": ("tail",)}, "ignore: 'tail' is none of"),
        ({"network": Path("a"), "least_score": float("nan")}, "least_score: nan"),
    ],
)
def test_configurations_of_no_teacher_are_refused(given: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TeacherConfig(**given)
