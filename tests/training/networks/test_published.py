"""The published family: its counts, its keys, its arithmetic."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from spinetrack_synth.training.networks.build import build  # noqa: E402

PUBLISHED = {  # million parameters, at the size in pixels that each was published for
    "spinepose-s": (5.98, (256, 192)),
    "spinepose-m": (14.34, (256, 192)),
    "spinepose-l": (28.66, (256, 192)),
    "spinepose-x": (50.69, (384, 288)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_size_has_the_published_number_of_parameters(name: str) -> None:
    millions, input_hw = PUBLISHED[name]
    net = build(name, input_hw=input_hw)
    count = sum(parameter.numel() for parameter in net.parameters())
    assert round(count / 1e6, 2) == millions


def _blocks(stage: int, layer: int, count: int) -> set[str]:
    inner = {
        f"blocks.{block}.{conv}"
        for block in range(count)
        for conv in ("conv1", "conv2.depthwise_conv", "conv2.pointwise_conv")
    }
    convs = {"main_conv", "short_conv", "final_conv", *inner}
    return {f"backbone.stage{stage}.{layer}.{conv}" for conv in convs}


def test_the_keys_are_those_of_the_fields_checkpoints() -> None:
    """As mmpose 1.3.2 has them, whose own code they were held against, shapes and answers too."""
    state = build("spinepose-s", keypoints=26).state_dict()
    convs = {f"backbone.stem.{number}" for number in range(3)}
    convs |= {f"backbone.stage{number}.0" for number in range(1, 5)}
    convs |= {"backbone.stage4.1.conv1", "backbone.stage4.1.conv2"}
    for stage, layer, count in ((1, 1, 1), (2, 1, 2), (3, 1, 2), (4, 2, 1)):
        convs |= _blocks(stage, layer, count)
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {f"{conv}.conv.weight" for conv in convs}
    expected |= {f"{conv}.bn.{part}" for conv in convs for part in norm}
    for stage, layer in ((1, 1), (2, 1), (3, 1), (4, 2)):
        fc = f"backbone.stage{stage}.{layer}.attention.fc"
        expected |= {f"{fc}.weight", f"{fc}.bias"}
    expected |= {
        f"head.{name}"
        for name in (
            "final_layer.weight", "final_layer.bias", "mlp.0.g", "mlp.1.weight", "gau.o.weight",
            "gau.uv.weight", "gau.gamma", "gau.beta", "gau.ln.g", "gau.res_scale.scale",
            "cls_x.weight", "cls_y.weight",
        )
    }  # fmt: skip
    assert set(state) == expected
    shapes = {key: tuple(state[key].shape) for key in expected if key.startswith("head.")}
    assert shapes["head.final_layer.weight"] == (26, 512, 7, 7)
    assert shapes["head.mlp.1.weight"] == (256, 48)
    assert shapes["head.gau.uv.weight"] == (1152, 256)
    assert shapes["head.gau.gamma"] == (2, 128)
    assert shapes["head.cls_x.weight"] == (384, 256)
    assert shapes["head.cls_y.weight"] == (512, 256)


def test_gated_attention_is_the_papers_formula() -> None:
    from spinetrack_synth.training.networks.rtmcc import GatedAttention

    torch.manual_seed(0)
    unit = GatedAttention().double()
    tokens = torch.randn(1, 5, 256, dtype=torch.float64)
    normed = tokens / tokens.norm(dim=-1, keepdim=True) * 16  # sqrt(256)
    hidden = normed @ unit.uv.weight.T
    hidden = hidden * torch.sigmoid(hidden)
    u, v, z = hidden[..., :512], hidden[..., 512:1024], hidden[..., 1024:]
    q, k = z * unit.gamma[0] + unit.beta[0], z * unit.gamma[1] + unit.beta[1]
    scores = torch.einsum("bns,bms->bnm", q, k) / 128**0.5
    mixed = torch.einsum("bnm,bme->bne", scores.clamp(min=0) ** 2, v)
    expected = tokens + (u * mixed) @ unit.o.weight.T
    assert torch.allclose(unit(tokens), expected)


def test_logits_are_ten_times_what_files_of_the_field_answer() -> None:
    torch.manual_seed(0)
    net = build("spinepose-s", input_hw=(64, 96)).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        logits, answers = net(images), net.head(net.backbone(images))
    assert [tuple(axis.shape) for axis in logits] == [(2, 37, 192), (2, 37, 128)]
    for axis, answer in zip(logits, answers):
        assert torch.allclose(axis, 10 * answer)
        assert torch.allclose(net.scores(axis), answer)
