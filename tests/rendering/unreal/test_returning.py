"""An engine that somebody else starts anew is waited for; a wrong picture is not."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ball_engine import BallEngine
from fakes import BallRenderer, ball_source
from faulty_wire import Fault, FaultyWire, replaced

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal import engine as driver
from spinetrack_synth.rendering.unreal.errors import Refused

pytestmark = pytest.mark.slow

pytest.importorskip("unrealcv")

CONFIG = DatasetConfig(scene="balls", count=3, seed=8, size=(96, 72), format="png")
LONG_S = 100.0
"""A test that waited for it would never end."""


@pytest.fixture
def told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.LogCaptureFixture]:
    log = logging.getLogger(driver.__name__)
    monkeypatch.setattr(log, "propagate", False)  # as after a command ran in this process
    caplog.set_level(logging.INFO, logger=driver.__name__)
    log.addHandler(caplog.handler)
    yield caplog
    log.removeHandler(caplog.handler)


def when_told(caplog: pytest.LogCaptureFixture, act) -> None:
    """Do something once, as soon as the driver says that it waits.

    Once: with two engines two threads say it, and the second's interrupt would end another test.
    """
    acted = threading.Lock()

    def watch(record: logging.LogRecord) -> bool:
        if "waiting up to" in record.getMessage() and acted.acquire(blocking=False):
            act()
        return True

    caplog.handler.addFilter(watch)


def press_ctrl_c() -> None:
    """To the main thread: a signal to the process may wake another one, which leaves it asleep."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def test_an_engine_that_is_started_anew_is_waited_for(
    balls: BallEngine, drive, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, shot_at = drive(balls.port), ball_source(CONFIG)
    renderer.render(shot_at(0))
    monkeypatch.setattr(driver, "RETURN_S", LONG_S)
    balls.stop()
    again: list[BallEngine] = []
    knocks = 0
    really = driver.open_session

    def open_session(*args, **kwargs):
        nonlocal knocks
        knocks += 1
        if knocks == 6:
            again.append(BallEngine(port=balls.port))
        return really(*args, **kwargs)

    monkeypatch.setattr(driver, "open_session", open_session)
    try:
        frame = renderer.render(shot_at(1))
    finally:
        for engine in again:
            engine.stop()
    assert knocks == 6, "more knocks than tries of a shot"
    np.testing.assert_array_equal(frame.ids, BallRenderer().render(shot_at(1)).ids)
    where = f"127.0.0.1:{balls.port}"
    assert [record.getMessage() for record in told.records] == [
        f"{where}: nothing listens there; waiting up to {LONG_S:.0f} s for the engine to come back",
        f"{where}: back again",
    ]


def test_an_engine_that_listens_before_it_can_draw_is_waited_for(
    balls: BallEngine, drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failing set-up is no try of the shot's."""
    renderer, shot_at = drive(balls.port), ball_source(CONFIG)
    renderer.render(shot_at(0))
    monkeypatch.setattr(driver, "RETURN_S", LONG_S)
    balls.stop()
    with BallEngine(port=balls.port) as again:
        starting = 8

        def not_yet(command: str, reply: bytes) -> bytes:
            nonlocal starting
            if command == "vget /cameras" and starting:
                starting -= 1
                return b"error No valid world"
            return reply

        again.spoil = not_yet
        frame = renderer.render(shot_at(1))
        assert starting == 0
    np.testing.assert_array_equal(frame.ids, BallRenderer().render(shot_at(1)).ids)


def test_an_engine_that_stays_away_ends_the_run(
    balls: BallEngine, drive, told: pytest.LogCaptureFixture
) -> None:
    renderer, shot_at = drive(balls.port), ball_source(CONFIG)
    renderer.render(shot_at(0))
    balls.stop()
    with pytest.raises(UserError) as error:
        renderer.render(shot_at(1))
    assert "and the engine did not come back within" in str(error.value)
    assert str(error.value).endswith(
        "nothing listens there; what is done is safe: see to the engine and run the same command "
        "again"
    )
    assert len(told.records) == 1


def test_nobody_is_waited_for_at_first(
    balls: BallEngine, drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "RETURN_S", LONG_S)
    balls.stop()
    with pytest.raises(UserError, match="nothing listens there; start the engine"):
        drive(balls.port)


def test_a_wrong_picture_is_drawn_again_without_waiting(
    balls: BallEngine, drive, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lit = Fault(r"vget /camera/\d+/lit png", replaced(lambda body: b"no picture"), times=100)
    with FaultyWire(balls.port, lit) as wire:
        renderer, shot_at = drive(wire.port), ball_source(CONFIG)
        monkeypatch.setattr(driver, "RETRY_S", LONG_S)
        with pytest.raises(UserError, match=f"failed {driver.ATTEMPTS} times, at last: lit"):
            renderer.render(shot_at(0))
        assert wire.connections == driver.ATTEMPTS
    assert not told.records


def test_ctrl_c_ends_the_wait(
    balls: BallEngine, drive, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, shot_at = drive(balls.port), ball_source(CONFIG)
    monkeypatch.setattr(driver, "RETURN_S", LONG_S)
    monkeypatch.setattr(driver, "RETRY_S", LONG_S)
    balls.stop()
    when_told(told, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        renderer.render(shot_at(0))


def test_ctrl_c_ends_the_wait_of_every_engine(
    drive, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With several engines each is waited for in a thread, which no interrupt reaches."""
    monkeypatch.setattr(driver, "RETURN_S", LONG_S)
    monkeypatch.setattr(driver, "RETRY_S", LONG_S)
    with BallEngine() as one, BallEngine() as other:
        renderer = drive(one.port, other.port)
    when_told(told, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        run_dataset(
            CONFIG, tmp_path, open_source=ball_source, open_renderer=lambda backend: renderer
        )


def test_a_closed_engine_is_not_opened_again(
    balls: BallEngine, drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, shot_at = drive(balls.port), ball_source(CONFIG)
    opened = []

    def open_session(*args, **kwargs):
        opened.append(args)
        renderer.close()
        raise Refused("gone")

    monkeypatch.setattr(driver, "open_session", open_session)
    balls.spoil = lambda command, reply: b"error" if "/lit" in command else reply
    with pytest.raises(UserError, match="closed during shot 0"):
        renderer.render(shot_at(0))
    assert len(opened) == 1
