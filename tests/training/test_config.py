"""The configuration of a run: what is refused, and how the learning rate goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[train]'")

from spinetrack_synth.errors import UserError
from spinetrack_synth.training.config import Config, OptimisationConfig, read_config

ROOT = Path(__file__).parents[2]
LEAST = """
[optimisation]
steps = 10
[[sources]]
annotations = "a.json"
"""
SET = '[[judging.sets]]\nname = "photos"\nannotations = "p.json"\n'


def read(folder: Path, text: str) -> object:
    (folder / "c.toml").write_text(text)
    return read_config(folder / "c.toml")


def test_a_word_that_is_a_file_is_that_file(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST + "[network]\nname = 'small-lite0'\nstart = 'imagenet'")
    assert isinstance(config, Config) and config.network.fetched == "imagenet"
    (tmp_path / "imagenet").write_bytes(b"")
    assert config.network.fetched is None


def test_terms_of_the_loss_are_those_that_can_count(tmp_path: Path) -> None:
    losses = "[losses]\nsmoothness = 0\nheatmaps = 1\n"
    config = read(tmp_path, LEAST + losses)
    assert isinstance(config, Config)
    assert set(config.terms) == {"labels", "structure", "spine_shape", "heatmaps"}
    taught = read(
        tmp_path,
        LEAST + losses + "[network]\nname = 'spinepose-s'\n[teacher]\nnetwork = 'm.onnx'\n",
    )
    assert isinstance(taught, Config)
    assert set(taught.terms) == {"labels", "structure", "spine_shape", "distillation"}


def test_two_entries_are_enough(tmp_path: Path) -> None:
    config = read(tmp_path, LEAST)
    assert config.sources[0].annotations == tmp_path / "a.json"
    assert config.network.name == "small" and config.optimisation.batch_size == 32


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LEAST.replace("steps", "stepz"), "optimisation.stepz: no such key; did you mean 'steps'?"),
        (LEAST + "[netwrok]", "netwrok: no such key; did you mean 'network'?"),
        ("sources = []\n[optimisation]\nsteps = 1", "sources: none; write [[sources]]"),
        (LEAST.replace("10", "0"), "optimisation: steps is 0, expected at least 1"),
        (LEAST + '[[sources]]\nannotations = "b/a.json"', "two sources are called 'a'"),
        (
            LEAST.replace("10", "10\naccumulate = 3"),
            "optimisation: batch_size 32 cannot be divided",
        ),
        (LEAST.replace("10", "10\nema_decay = 1"), "optimisation: ema_decay is 1.0"),
        (LEAST.replace("10", "10\nlearning_rate = 0"), "optimisation: learning_rate and clip have"),
        (
            LEAST.replace("10", "10\nprecision = 'int8'"),
            "optimisation.precision: 'int8' is none of",
        ),
        ("seed = -1\n" + LEAST, "workers have to be 0 or more, seed from 0"),
        (LEAST + SET + SET, "judging: two sets are called 'photos'"),
        (LEAST + "[judging]\nwatch = 'x.body_oks'\n" + SET, "judging: watch = 'x.body_oks' names"),
        (LEAST + "[judging]\npatience = 2\n" + SET, "judging: patience has to be at least 1, and"),
        (LEAST + "[judging]\nevery = 0", "judging: every is 0"),
        (
            LEAST + "[network]\nstart = 'imagenet'",
            "network: start = 'imagenet' is for small-lite0, not small",
        ),
        (
            LEAST + "[network]\nname = 'small-lite0'\nstart = 'movenet'",
            "network: start = 'movenet' is for small and small-thunder, not small-lite0",
        ),
        (LEAST + "labelled = false", "sources with labelled = false need a [teacher]"),
        (LEAST + "[teacher]", "teacher: expected one of network and predictions"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'c.toml'}: {told}")
    assert "\n" not in str(error.value)


def test_the_learning_rate_rises_and_falls() -> None:
    plan = OptimisationConfig(steps=1000, warmup_steps=99)
    rates = [plan.rate_at(step) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01) and rates[99] == pytest.approx(1.0)
    assert rates[:99] == sorted(rates[:99]) and rates[99:] == sorted(rates[99:], reverse=True)
    assert rates[1000] == pytest.approx(0.01)


def test_the_examples_of_the_page_are_configurations(tmp_path: Path) -> None:
    first, *parts = re.findall(
        r"^```toml\n(.*?)^```", (ROOT / "docs/training.md").read_text(), re.M | re.S
    )
    assert len(parts) > 2
    read(tmp_path, first)
    for part in parts:
        read(tmp_path, f"{first}\n{part}")


def test_the_configuration_of_the_network_that_ships_can_be_read() -> None:
    config = read_config(ROOT / "pipelines/spinepose-small/train.toml")
    assert config.network.name == "small" and config.judging.sets
