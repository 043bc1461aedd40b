"""An engine with UnrealCV 1.0, as in its branches 4.27 and 5.2: what it lacks is gone round."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ball_engine import Actor, BallEngine, frame, read_frame
from fakes import BallRenderer, ball_person, ball_shot
from faulty_wire import Fault, FaultyWire, dropped

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal import engine as driver
from spinetrack_synth.rendering.unreal.session import Endpoint

pytestmark = pytest.mark.slow

pytest.importorskip("unrealcv")

SHOT = ball_shot(ball_person("ada"), size=(96, 144), focal_px=120)

DESCRIPTIONS = {
    "vget /unrealcv/help": "List all available commands and their help message",
    "vset /camera/[uint]/location [float] [float] [float]": "Set sensor to location [x, y, z]",
    "vget /avatars": "",
}
"""As in its sources: some tell of brackets, and a module's may be empty."""


class OldEngine(BallEngine):
    """UnrealCV's 1.0.1: its help in place of a list of commands, one TCP client in its life and
    then a Unix socket, and a nameless cube where a name was given before."""

    def __init__(self, version: str = "1.0.1") -> None:
        self.version = version
        self.tcp_clients = self.unix_clients = 0
        self.named: set[str] = set()
        self._unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        super().__init__(engine="spinetrack-synth test")
        self.project["plugin"] = version
        self.templates.remove("vget /unrealcv/commands")
        self.templates += ["vget /unrealcv/help", "vget /unrealcv/status", "vrun [str]",
                           "vset /camera/[uint]/exposure_method [str]"]  # fmt: skip

    def stop(self) -> None:
        self._unix.close()
        super().stop()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            self._client, _ = self._listener.accept()
            self.tcp_clients += 1
            self._talk(self._client)
            self._unix.bind(f"{tempfile.gettempdir()}/unrealcv_{self.port}.socket")
            self._unix.listen(1)  # the TCP port still listens, and never greets again
            self._unix.settimeout(0.05)
            while not self._stopped:
                with contextlib.suppress(TimeoutError):
                    self._client, _ = self._unix.accept()
                    self._client.setblocking(True)
                    self.unix_clients += 1
                    self._talk(self._client)

    def _talk(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            client.sendall(frame(b"connected to Balls"))
            stream = client.makefile("rb")
            while (payload := read_frame(stream)) is not None:
                number, _, command = payload.partition(b":")
                client.sendall(frame(number + b":" + self.answer(command.decode())))

    def _answer(self, command: str) -> str | bytes:
        match command.split(" "):
            case ["vget", "/unrealcv/version"]:
                return self.version
            case ["vget", "/unrealcv/help"]:
                return "".join(f"{t}\n{DESCRIPTIONS.get(t, 'Does it')}\n" for t in self.templates)
            case ["vset", "/objects/spawn_cube", name]:
                # The second of a name stays as it was spawned, nameless and at the origin.
                own = name if name not in self.named else f"CubeActor_{len(self.actors)}"
                self.named.add(name)
                self.actors[own] = Actor("cube", (5, 5, 5))
                return own
        return super()._answer(command)


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OldEngine]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with OldEngine() as engine:
        yield engine


def test_a_shot_is_drawn_with_it(old: OldEngine, drive) -> None:
    renderer = drive(old.port)
    frame, exact = renderer.render(SHOT), BallRenderer().render(SHOT)
    np.testing.assert_array_equal(frame.ids, exact.ids)
    np.testing.assert_array_equal(frame.rgb, exact.rgb)
    assert renderer.provenance["plugin"] == "1.0.1"
    # Settings that the help lists are made, others left out.
    assert "vset /camera/1/exposure_method manual" in old.commands
    assert not any("illumination" in command for command in old.commands)
    assert not [actor for actor in old.actors.values() if actor.asset == "cube"]


def test_what_its_help_lacks_is_named(old: OldEngine, drive) -> None:
    for template in ("vset /cameras/spawn", "vget /avatars"):
        old.templates.remove(template)
    with pytest.raises(UserError) as error:
        drive(old.port)
    assert str(error.value) == (
        f"127.0.0.1:{old.port}: UnrealCV 1.0.1 there lacks 'vset /cameras/spawn' (UnrealCV 1.0.1 "
        "or newer, see unreal_project/README.md); 'vget /avatars' (the project's own module, see "
        "unreal_project/README.md)"
    )


def test_a_second_session_goes_straight_to_the_unix_socket(
    old: OldEngine, drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = drive(old.port)
    spoilt = []
    really = driver.open_session

    def open_session(endpoint: Endpoint, *args, **kwargs):
        while endpoint.unix_socket is None:  # a moment, which NOTICE_S leaves it
            time.sleep(0.01)
        return really(endpoint, *args, **kwargs)

    monkeypatch.setattr(driver, "open_session", open_session)

    def once_black(command: str, reply: bytes) -> bytes:
        if "/lit" in command and not spoilt:
            spoilt.append(command)
            return b"error Captured data is empty"
        return reply

    old.spoil = once_black
    exact = BallRenderer().render(SHOT)
    np.testing.assert_array_equal(renderer.render(SHOT).rgb, exact.rgb)
    assert spoilt and (old.tcp_clients, old.unix_clients) == (1, 1)
    # Nobody knocked at the port that does not answer any more.
    old._listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        old._listener.accept()


def test_a_run_after_another_finds_the_unix_socket(old: OldEngine, drive) -> None:
    for _ in range(2):
        renderer = drive(old.port)
        renderer.render(SHOT)
        renderer.close()
    assert (old.tcp_clients, old.unix_clients) == (1, 1)


def test_no_cube_is_left_of_a_calibration_that_was_cut_off(old: OldEngine, drive) -> None:
    with (
        FaultyWire(old.port, Fault(r"vget /camera/\d+/depth npy", dropped)) as wire,
        pytest.raises(UserError, match="set-up failed"),
    ):
        drive(wire.port)
    assert [name for name, actor in old.actors.items() if actor.asset == "cube"]
    drive(old.port).render(SHOT)
    assert not [name for name, actor in old.actors.items() if actor.asset == "cube"]


@pytest.mark.skipif(os.name != "posix", reason="Unix sockets")
def test_its_unix_socket_is_in_tmp_whatever_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with socket.socket() as free, socket.socket(socket.AF_UNIX) as unix:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        path = Path(f"/tmp/unrealcv_{port}.socket")
        unix.bind(str(path))
        try:
            assert Endpoint("127.0.0.1", port).unix_socket == path
            assert Endpoint("192.0.2.1", port).unix_socket is None
        finally:
            path.unlink()
