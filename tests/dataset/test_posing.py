"""Posing the next shots while one is drawn: the same dataset, whatever goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from commands import contents
from fakes import BallRenderer, ball_source
from worker_doors import open_balls, open_balls_ahead

from spinetrack_synth.camera import look_at
from spinetrack_synth.dataset import DatasetConfig, pool, run_dataset
from spinetrack_synth.dataset.source import ShotAt, view_by_view
from spinetrack_synth.dataset.workers import local_workers
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Shot

CONFIG = DatasetConfig(scene="balls", count=9, seed=5, size=(32, 32), format="png")
AHEAD = 2


class Gpu(BallRenderer):
    """Balls drawn by somebody who leaves the processors free."""

    ahead = AHEAD


def make(out: Path, renderer: BallRenderer, source: Callable[..., ShotAt] = ball_source, **doors):
    config = doors.pop("config", CONFIG)
    return run_dataset(config, out, open_source=source, open_renderer=lambda _: renderer, **doors)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is made without posing ahead."""
    out = tmp_path_factory.mktemp("whole")
    make(out, BallRenderer())
    return contents(out)


def posing_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("posing")]


def test_the_next_shots_are_posed_while_one_is_drawn(tmp_path: Path, whole) -> None:
    posed, drawing = [], threading.Event()
    asked = {index: threading.Event() for index in range(CONFIG.count)}

    def source(config: DatasetConfig) -> ShotAt:
        shot_at = ball_source(config)

        def noted(index: int) -> Shot:
            posed.append((index, threading.current_thread().name))
            asked[index].set()
            return shot_at(index)

        return noted

    class Slow(Gpu):
        def render(self, shot, *, quality=None):
            for ahead in range(1, AHEAD + 1):  # were they posed afterwards, this would never end
                if shot.index + ahead < CONFIG.count:
                    assert asked[shot.index + ahead].wait(30)
            too_far = shot.index + AHEAD + 1
            assert too_far >= CONFIG.count or not asked[too_far].is_set()
            drawing.set()
            return super().render(shot)

    make(tmp_path, Slow(), source)
    assert drawing.is_set()
    assert [index for index, _ in posed] == list(range(CONFIG.count))
    assert {name.partition("_")[0] for _, name in posed} == {"posing"}
    assert contents(tmp_path) == whole
    assert not posing_threads()


def test_shots_of_several_shards_are_the_same(tmp_path: Path, whole, monkeypatch) -> None:
    monkeypatch.setattr(pool, "LARGEST_SHARD", 4)
    make(tmp_path, Gpu())
    assert contents(tmp_path) == whole


def test_views_of_a_moment_are_posed_once(tmp_path: Path) -> None:
    moments: list[int] = []

    def source(config: DatasetConfig) -> ShotAt:
        single = ball_source(config)

        def moment_at(index: int) -> Shot:
            moments.append(index)
            side = look_at((1.5, 1.6, 3.6), (0, 0.9, 0), focal_px=30, width=32, height=32)
            return replace(single(index), further=(side,))

        return view_by_view(moment_at, config.views)

    config = replace(CONFIG, count=6, views=2)
    make(tmp_path / "ahead", Gpu(), source, config=config)
    assert moments == list(range(3))
    make(tmp_path / "not", BallRenderer(), source, config=config)
    assert contents(tmp_path / "ahead") == contents(tmp_path / "not")


def failing_once(index: int, error: Exception) -> Callable[[DatasetConfig], ShotAt]:
    """A source that stumbles over a shot, the first time."""
    stumbled = []

    def source(config: DatasetConfig) -> ShotAt:
        shot_at = ball_source(config)

        def once(asked: int) -> Shot:
            if asked == index and not stumbled:
                stumbled.append(asked)
                raise error
            return shot_at(asked)

        return once

    return source


def test_what_fails_in_posing_is_a_failure_of_that_shot(tmp_path: Path, whole) -> None:
    told = []
    make(tmp_path, Gpu(), failing_once(4, ValueError("no foot")), on_failure=told.append)
    (failure,) = told
    assert (failure.index, failure.cause) == (4, "ValueError: no foot")
    assert "in once" in failure.details
    assert contents(tmp_path) == whole


def test_what_the_user_has_to_mend_ends_the_run_at_its_shot(tmp_path: Path, whole) -> None:
    source = failing_once(4, UserError("motion.bvh: is gone"))
    with pytest.raises(UserError, match=r"^motion\.bvh: is gone$"):
        make(tmp_path, Gpu(), source)
    assert not posing_threads()
    assert make(tmp_path, BallRenderer()) == CONFIG.count - 4
    assert contents(tmp_path) == whole


def test_a_stop_in_the_middle_leaves_no_thread_and_goes_on(tmp_path: Path, whole) -> None:
    def stop(done: int, wanted: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    renderer = Gpu()
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, renderer, progress=stop)
    assert renderer.closed
    assert not posing_threads()
    assert make(tmp_path, Gpu()) == CONFIG.count - 3
    assert contents(tmp_path) == whole


@pytest.mark.slow
def test_workers_pose_ahead_too(tmp_path: Path, whole) -> None:
    run_dataset(
        CONFIG, tmp_path, open_source=ball_source, open_renderer=open_balls_ahead,
        open_pool=local_workers(1),
    )  # fmt: skip
    assert contents(tmp_path) == whole


def test_pictures_of_another_denoiser_are_another_dataset(tmp_path: Path) -> None:
    """Whoever goes on has to draw with what has drawn so far, or without what has not."""

    class Optix(Gpu):
        provenance: ClassVar[dict[str, str]] = {"denoiser": "OptiX"}

    few = replace(CONFIG, count=2)
    make(tmp_path / "gpu", Optix(), config=few)
    with pytest.raises(UserError, match=r"\(drawn_by denoiser OptiX there, none here\)"):
        make(tmp_path / "gpu", open_balls("embedded"))
    make(tmp_path / "cpu", BallRenderer(), config=few)
    with pytest.raises(UserError, match=r"\(drawn_by none there, denoiser OptiX here\)"):
        make(tmp_path / "cpu", Optix())
    assert make(tmp_path / "gpu", Optix()) == make(tmp_path / "cpu", BallRenderer()) == 7
