"""A run's state: what it says of the watched figure, and that a damaged one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")

from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.training.state import Standing, read_state, write_state  # noqa: E402


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    assert read_state(path, "data") is None
    tensors = {"network": {"w": torch.randn(3, 4)}, "scaler": {}}
    write_state(path, Standing(7, 5, 0.25, 5, 0), tensors, "data")
    standing, found = read_state(path, "data")
    assert standing == Standing(7, 5, 0.25, 5, 0)
    assert torch.equal(found["network"]["w"], tensors["network"]["w"])
    with pytest.raises(UserError, match=r"sources have changed since the run was begun"):
        read_state(path, "other data")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_damaged_state_is_told_in_one_line(tmp_path: Path, share: float) -> None:
    path = tmp_path / "state.pt"
    write_state(path, Standing(), {"network": {"w": torch.zeros(999)}}, "")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=r"^\S+state.pt: is damaged.*delete it[^\n]*$"):
        read_state(path, "")


def test_what_is_no_state_of_ours_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    torch.save({"standing": print}, path)
    with pytest.raises(UserError, match=r"is damaged"):
        read_state(path, "")


def test_the_best_step_is_that_of_the_highest_watched_figure() -> None:
    standing = Standing(step=10).after_judgement(0.5)
    assert standing == Standing(10, 10, 0.5, 10, 0)
    worse = Standing(20, standing.judged, standing.best, standing.best_step).after_judgement(0.4)
    assert worse == Standing(20, 20, 0.5, 10, 1)
    assert Standing(30, 20, 0.5, 10, 1).after_judgement(0.5) == Standing(30, 30, 0.5, 10, 2)
    assert Standing(30, 20, 0.5, 10, 1).after_judgement(0.6) == Standing(30, 30, 0.6, 30, 0)
    assert Standing(30, 20, 0.5, 10, 1).after_judgement(float("nan")).best == 0.5
    unknown = Standing(10).after_judgement(float("nan"))
    assert unknown.best_step == 10
    assert Standing(20, 10, unknown.best, 10).after_judgement(0.1).best == 0.1


def test_where_nothing_is_watched_the_last_step_is_kept() -> None:
    assert Standing(30, 20).after_judgement(None) == Standing(30, 30, None, 30, 0)
