"""Checkpoints: saved and opened again, and what networks may begin with."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.training.checkpoints import (  # noqa: E402
    FILE,
    Description,
    begin_with,
    open_checkpoint,
    save_checkpoint,
)

TINY = (64, 64)
SMALL = Description("small", input_hw=TINY)
PUBLISHED = Description("spinepose-s", input_hw=TINY)
HALPE = Description("spinepose-s", skeleton.NAMES[:26], TINY)


@pytest.fixture(scope="module")
def halpe() -> torch.nn.Module:
    torch.manual_seed(1)
    net = HALPE.build()
    with torch.no_grad():
        net.head.final_layer.bias.normal_()
    return net


def _mmpose(path: Path, net: torch.nn.Module, names: tuple[str, ...], **others: object) -> Path:
    """A checkpoint as mmpose publishes it."""
    meta = {
        "epoch": 700,
        "mmengine_version": "0.7.3",
        "dataset_meta": {
            "keypoint_id2name": dict(enumerate(names)),
            "sigmas": np.full(len(names), 0.05, np.float32),
            "skeleton_link_colors": np.zeros((3, 3), np.uint8),
            "dataset_keypoint_weights": np.float64(1.0),
        },
    }
    torch.save({"meta": meta, "state_dict": net.state_dict(), **others}, path)
    return path


def test_a_checkpoint_is_the_network_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    description = Description("small", input_hw=TINY, step=1200)
    net = description.build().to(memory_format=torch.channels_last).eval()
    save_checkpoint(tmp_path / FILE, net, description)
    images = torch.randn(1, 3, *TINY)
    for path in (tmp_path, tmp_path / FILE):
        again, told = open_checkpoint(path)
        assert told == description and not again.training
        with torch.no_grad():
            assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(net(images), again(images)))


def test_the_points_that_a_checkpoint_of_the_field_has_come_along(
    tmp_path: Path, halpe: torch.nn.Module
) -> None:
    path = _mmpose(tmp_path / "rtmpose.pth", halpe, HALPE.keypoints)
    net = PUBLISHED.build()
    new = net.head.final_layer.weight[26:].clone()
    start = begin_with(net, PUBLISHED, path)
    assert start.whole and start.points == skeleton.NAMES[:26]
    theirs, ours = halpe.state_dict(), net.state_dict()
    for name, tensor in theirs.items():
        kept = ours[name][:26] if name.startswith("head.final_layer") else ours[name]
        assert torch.equal(kept, tensor), name
    assert torch.equal(ours["head.final_layer.weight"][26:], new)


def test_points_are_matched_by_name_and_without_names_by_number(
    tmp_path: Path, halpe: torch.nn.Module
) -> None:
    order = np.random.default_rng(0).permutation(26)
    names = {"hip": "pelvis", "head": "head_top", "left_knee": "LKnee"}
    foreign = tuple(names.get(skeleton.NAMES[k], skeleton.NAMES[k]) for k in order)
    net = PUBLISHED.build()
    begin_with(net, PUBLISHED, _mmpose(tmp_path / "a.pth", halpe, foreign))
    bias = halpe.head.final_layer.bias
    for place, k in enumerate(order):
        assert net.head.final_layer.bias[k] == bias[place]
    torch.save(halpe.state_dict(), tmp_path / "bare.pth")
    begin_with(net, PUBLISHED, tmp_path / "bare.pth")
    assert torch.equal(net.head.final_layer.bias[:26], bias)


def test_a_backbone_alone_comes_along(tmp_path: Path, halpe: torch.nn.Module) -> None:
    state = {n: t for n, t in halpe.state_dict().items() if n.startswith("backbone.")}
    state["head.deconv_layers.0.weight"] = torch.zeros(3)
    torch.save({"state_dict": state}, tmp_path / "cspnext.pth")
    net = PUBLISHED.build()
    head = net.head.cls_x.weight.clone()
    assert not begin_with(net, PUBLISHED, tmp_path / "cspnext.pth").whole
    assert torch.equal(net.backbone.stem[0].conv.weight, halpe.backbone.stem[0].conv.weight)
    assert torch.equal(net.head.cls_x.weight, head)


def test_one_of_ours_begins_another_of_more_points(tmp_path: Path) -> None:
    seventeen = Description("small", skeleton.NAMES[:17], TINY)
    first, net = seventeen.build(), SMALL.build()
    save_checkpoint(tmp_path / FILE, first, seventeen)
    assert begin_with(net, SMALL, tmp_path).points == skeleton.NAMES[:17]
    assert torch.equal(net.head.weight[:17], first.head.weight)
    assert torch.equal(net.backbone.last.weight, first.backbone.last.weight)


def test_records_of_a_run_under_way_are_passed_over(
    tmp_path: Path, halpe: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a record is an object of mmengine, whose state names its own methods by getattr."""
    module = types.ModuleType("mmengine.logging.history_buffer")

    class HistoryBuffer:
        def current(self) -> None: ...

        def __getstate__(self) -> dict:
            return {"_log_history": np.ones(2), "methods": {"current": _Method()}}

    class _Method:
        def __reduce__(self) -> tuple:
            return getattr, (HistoryBuffer, "current")

    HistoryBuffer.__module__, HistoryBuffer.__qualname__ = module.__name__, "HistoryBuffer"
    module.HistoryBuffer = HistoryBuffer  # type: ignore[attr-defined]
    for name in ("mmengine", "mmengine.logging"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    hub = {"log_scalars": {"train/loss": HistoryBuffer()}}
    path = _mmpose(tmp_path / "epoch_3.pth", halpe, HALPE.keypoints, message_hub=hub)
    monkeypatch.undo()
    assert begin_with(PUBLISHED.build(), PUBLISHED, path).whole


class _Foreign:
    def __reduce__(self) -> tuple:
        return Path.touch, (Path("run"),)


def test_nothing_in_a_file_is_run(
    tmp_path: Path, halpe: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = _mmpose(tmp_path / "foreign.pth", halpe, HALPE.keypoints, other=_Foreign())
    with pytest.raises(UserError, match=r"holds more than weights \(.*save its state_dict alone"):
        begin_with(PUBLISHED.build(), PUBLISHED, path)
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_is_told_in_one_line_and_changes_nothing(
    tmp_path: Path, halpe: torch.nn.Module
) -> None:
    net, small = PUBLISHED.build(), SMALL.build()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.save({"state_dict": halpe.state_dict()}, tmp_path / "s.pth")
    whole = (tmp_path / "s.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "junk.pth").write_bytes(b"junk")
    (tmp_path / "junk.safetensors").write_bytes(b"junkjunkjunk")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    state = halpe.state_dict()
    torch.save(
        state | {"backbone.stem.0.conv.weight": torch.zeros(24, 3, 3, 3)}, tmp_path / "m.pth"
    )
    torch.save(state | {"backbone.stage5.0": torch.zeros(3)}, tmp_path / "more.pth")
    larger = {"cls_x": (576, 256), "cls_y": (768, 256), "mlp.1": (256, 108)}
    larger = {f"head.{name}.weight": torch.zeros(*shape) for name, shape in larger.items()}
    torch.save(state | larger, tmp_path / "large.pth")
    save_file({"a": torch.zeros(3)}, tmp_path / "plain.safetensors")
    save_checkpoint(tmp_path / FILE, small, SMALL)
    cases = {
        "none.pth": "no such file",
        "none.safetensors": "no such file; expected a checkpoint of `train`",
        "half.pth": "no checkpoint of torch, or only a part of one",
        "junk.pth": "no checkpoint of torch, or only a part of one",
        "junk.safetensors": "no checkpoint of `train`, or only a part of one",
        "plain.safetensors": "its metadata does not say which network it is",
        "tensor.pth": "holds no tensors by name",
        "other.pth": "holds no tensors called backbone.*, expected mmpose's RTMPose",
        "m.pth": "of a network of another size: backbone.stem.0.conv.weight is (24, 3, 3, 3), "
        "expected (16, 3, 3, 3)",
        "more.pth": "of another network: backbone.stage5.0 has no place in this one",
        "large.pth": "for crops of 384x288, expected 64x64 (input_hw)",
        FILE: "holds small, expected spinepose-s",
    }
    for name, message in cases.items():
        with pytest.raises(UserError) as told:
            begin_with(net, PUBLISHED, tmp_path / name)
        assert f"{name}: {message}" in str(told.value)
        assert "\n" not in str(told.value)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    with pytest.raises(UserError, match=r"of another network: backbone.stem.0.conv.weight has no"):
        begin_with(small, SMALL, tmp_path / "s.pth")
    with pytest.raises(UserError, match="MoveNet's weights are for small and small-thunder, not s"):
        begin_with(net, PUBLISHED, tmp_path / "movenet-lightning.json")
