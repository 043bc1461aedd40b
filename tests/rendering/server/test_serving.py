"""The command itself: what clients see of avatars, places and light is what the backend draws."""

from __future__ import annotations

import io
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.avatars.rig import TWIST_FREE
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal import axes, messages
from spinetrack_synth.scenes import load_scene, make_shot
from spinetrack_synth.shot import Frame, Shot

pytestmark = pytest.mark.slow

SEED = 7
SIZE = (320, 240)


@pytest.fixture(scope="module")
def shot() -> Shot:
    pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    return make_shot(load_scene("yoga"), SEED, 0, Cast(SEED), SIZE)


@pytest.fixture
def serve(start) -> Callable[..., tuple[subprocess.Popen, int]]:
    """Starts the command with some options at a free port."""
    return lambda *options: start("-m", "spinetrack_synth", "serve", "--port", "0", *options)


YOGA = ("--scene", "yoga", "--seed", str(SEED), "--size", "320x240")


@pytest.fixture(scope="module")
def looked_at(shot, run_server, tmp_path_factory) -> Iterator[int]:
    """Port of a server where the shot stands; whatever changes it comes last in this file."""
    command = [sys.executable, "-m", "spinetrack_synth", "serve", "--port", "0", *YOGA]
    with run_server(command, tmp_path_factory.mktemp("served")) as (_, port):
        yield port


def array(reply: bytes) -> np.ndarray:
    if reply.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(reply))
    return np.asarray(Image.open(io.BytesIO(reply)))


def color(client, name: str) -> list[int]:
    return [int(v) for v in re.findall(r"\d+", client.request(f"vget /object/{name}/color"))]


def depth_agreement(depth_cm: np.ndarray, frame: Frame) -> float:
    """Share of pixels whose depth is the frame's to the step of float16."""
    expected = np.minimum(100 * frame.depth_m, 65504).astype(np.float16)
    step = np.spacing(np.minimum(expected, 60000)).astype(float)
    return float((np.abs(depth_cm - expected.astype(float)) <= step).mean())


over_tcp = pytest.mark.parametrize("connect", ["tcp"], indirect=True)
over_unix = pytest.mark.parametrize("connect", ["unix"], indirect=True)


@over_tcp
def test_what_is_served_is_what_the_backend_draws(looked_at, connect, shot, renderer) -> None:
    yoga = connect(looked_at)
    frame = renderer.render(shot)
    replies = yoga.request_batch(
        [f"vget /camera/0/{what}" for what in ("lit png", "object_mask png", "depth npy")]
    )
    lit, mask, depth = map(array, replies)
    avatars = json.loads(yoga.request("vget /avatars"))
    assert [avatar["asset"] for avatar in avatars] == [p.subject_id for p in shot.people]
    for number, avatar in enumerate(avatars, start=1):
        shown = (mask == color(yoga, avatar["name"])).all(axis=-1)
        there = frame.ids == number
        assert (shown & there).sum() >= 0.999 * (shown | there).sum() > 500
    assert depth_agreement(depth, frame) > 0.999
    off = np.abs(lit[..., :3].astype(float) - frame.rgb)
    assert np.median(off) <= 2  # the same light, another seed of its noise
    assert off.mean() < 6


@over_tcp
def test_a_shot_is_set_up_over_the_wire(serve, connect, shot, renderer) -> None:
    """An empty level becomes the shot through the project's own commands alone."""
    client = connect(serve("--size", "64x48", "--quality", "draft")[1])
    camera = axes.camera_to_unreal(shot.camera)
    commands = [
        f"vset /place/{shot.place}/{shot.variant}",
        f"vset /things {messages.things_json(shot.things)}",
        f"vset /lights {messages.lights_json(shot.lights, shot.exposure)}",
        "vset /cameras/spawn",
        f"vset /camera/1/size {camera.width} {camera.height}",
        f"vset /camera/1/fov {messages.number(camera.fov_deg, 9)}",
        f"vset /camera/1/location {messages.numbers(camera.location)}",
        f"vset /camera/1/rotation {messages.numbers(camera.rotator_deg, 9)}",
    ]
    bodies = tuple(
        json.loads(messages.pose_json(Cast(SEED).avatar(0).tree.bodies, shot.people[0].body2world))
    )
    for k, person in enumerate(shot.people):
        pose = messages.pose_json(bodies, person.body2world)
        commands += [
            f"vset /avatars/spawn {person.subject_id} person_{k}",
            f"vset /avatar/person_{k}/pose {pose}",
            f"vset /avatar/person_{k}/fingers {messages.fingers_json(person.fingers_rad)}",
        ]
    replies = client.request_batch(commands)
    assert set(replies) - {"FusionCameraActor_1"} == {"ok"}
    assert client.request("vget /place") == f"{shot.place} {shot.variant}"
    objects = client.request("vget /objects").split()
    assert len(objects) == 1 + len(shot.things) + len(shot.people)

    frame = renderer.render(shot)
    mask = array(client.request("vget /camera/1/object_mask png"))
    depth = array(client.request("vget /camera/1/depth npy"))
    for k in range(len(shot.people)):
        shown = (mask == color(client, f"person_{k}")).all(axis=-1)
        there = frame.ids == k + 1
        assert (shown & there).sum() >= 0.995 * (shown | there).sum()
    assert depth_agreement(depth, frame) > 0.999

    # The things are replaced, not added to.
    assert client.request("vset /things []") == "ok"
    assert len(client.request("vget /objects").split()) == 1 + len(shot.people)


def listening_at(port: int) -> list[str]:
    """Addresses, as the system writes them, at which somebody listens at a TCP port."""
    table = Path("/proc/net/tcp").read_text()
    return re.findall(rf": ([0-9A-F]{{8}}):{port:04X} 00000000:0000 0A", table)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_in_the_middle_of_a_session(shot, serve, number: signal.Signals) -> None:
    process, port = serve("--size", "64x48", "--quality", "draft")
    unix = Path(tempfile.gettempdir()) / f"unrealcv_{port}.socket"
    assert unix.is_socket()
    assert listening_at(port) == ["0100007F"], "not at loopback alone"
    with socket.create_connection(("127.0.0.1", port)):
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not unix.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_busy_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "spinetrack_synth", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == f"Error: port {port} of 127.0.0.1 is taken: choose another --port\n"
    assert done.stdout == ""


def test_an_open_host_wants_its_token_and_writes_below_its_folder(
    shot, run_server, tmp_path: Path, monkeypatch
) -> None:
    unrealcv = pytest.importorskip("unrealcv")
    monkeypatch.setenv("SPINETRACK_SYNTH_TOKEN", "0123456789abcdef")
    options = "--port 0 --host 0.0.0.0 --out pictures --size 64x48 --quality draft".split()
    command = [sys.executable, "-m", "spinetrack_synth", "serve", *options]
    with run_server(command, tmp_path) as (_, port):
        warned = (tmp_path / "stderr.txt").read_text()
        assert f"may write pictures in {tmp_path}/pictures" in warned
        client = unrealcv.Client(("127.0.0.1", port))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the client's, where it is told no commands
            assert client.connect()
            assert client.request("vget /camera/0/lit a.png").startswith("error this server wants")
            assert not (tmp_path / "pictures/a.png").exists()
            assert client.request("vset /session/token 0123456789abcdef") == "ok"
            saved = client.request("vget /camera/0/lit a.png", timeout=60)
        assert saved == str(tmp_path / "pictures/a.png")
        assert Image.open(saved).size == (64, 48)
        client.disconnect()


def test_python_of_the_page_runs(looked_at) -> None:
    pytest.importorskip("unrealcv")
    page = Path(__file__).parents[3] / "docs/unreal-server.md"
    (block,) = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)
    names: dict[str, object] = {}
    exec(compile(block.replace("9000", str(looked_at)), str(page), "exec"), names)
    assert names["picture"].size == SIZE
    assert names["depth_cm"].shape == names["mask"].shape[:2] == SIZE[::-1]
    assert '"bone_name":"skull"' in names["bones"]


@over_unix
def test_avatars_are_posed_read_back_moved_and_hidden(looked_at, connect, shot) -> None:
    """The last one with this server: somebody is taken away."""
    yoga = connect(looked_at)
    name = json.loads(yoga.request("vget /avatars"))[0]["name"]
    person = shot.people[0]
    read = messages.parse_pose(yoga.request(f"vget /avatar/{name}/pose"))
    body2world = np.array(list(read.values()))
    np.testing.assert_allclose(body2world, person.body2world, atol=1e-6)

    bones = json.loads(yoga.request(f"vget /object/{name}/bones world"))
    frames = {bone["bone_name"]: bone["transform"] for bone in bones}
    assert list(frames)[: len(read)] == list(read)
    assert set(frames) - set(read) == {f"{body}_swing" for body in TWIST_FREE}
    for body, frame in read.items():
        bone = frames[body]
        place = axes.to_unreal(frame[:3, 3])
        np.testing.assert_allclose([bone[k] for k in "XYZ"], place, atol=1e-3)
        turn = axes.rotator_matrix([bone[k] for k in ("Pitch", "Yaw", "Roll")])
        np.testing.assert_allclose(turn, axes.rotations_swapped(frame[:3, :3]), atol=1e-5)
        assert bone["ScaleX"] == bone["ScaleY"] == bone["ScaleZ"] == 1
    some = json.loads(yoga.request(f"vget /object/{name}/bones skull,pelvis component"))
    assert {bone["bone_name"] for bone in some} == {"pelvis", "skull"}
    assert yoga.request(f"vget /object/{name}/bones skull sideways").startswith("error Bone space")

    # Posed anew, 10 cm further up.
    lifted = body2world.copy()
    lifted[:, 1, 3] += 0.1
    held = yoga.request(f"vget /avatar/{name}/fingers")
    before = array(yoga.request("vget /camera/0/object_mask png"))
    pose = messages.pose_json(tuple(read), lifted)
    assert yoga.request(f"vset /avatar/{name}/pose {pose}") == "ok"
    assert yoga.request(f"vget /avatar/{name}/pose") == pose
    mine = color(yoga, name)
    row = [
        np.nonzero((mask == mine).all(axis=-1))[0].min()
        for mask in (before, array(yoga.request("vget /camera/0/object_mask png")))
    ]
    assert row[1] <= row[0]
    lacking = json.dumps({"pelvis": [0, 0, 0, 0, 0, 0, 1]}, separators=(",", ":"))
    bends = messages.fingers_json(np.full((2, 5, 3), 0.2))
    assert yoga.request(f"vset /avatar/{name}/fingers {bends}") == "ok"
    assert yoga.request(f"vget /avatar/{name}/fingers") == bends
    assert yoga.request(f"vset /avatar/{name}/fingers {held}") == "ok"
    assert "lacks body" in yoga.request(f"vset /avatar/{name}/pose {lacking}")

    # The actor moved back: the world's frames follow, the component's stay.
    inside = yoga.request(f"vget /object/{name}/bones component")
    yoga.request(f"vset /object/{name}/location 0 0 -10")
    back = messages.parse_pose(yoga.request(f"vget /avatar/{name}/pose"))
    np.testing.assert_allclose(np.array(list(back.values())), body2world, atol=1e-6)
    assert yoga.request(f"vget /object/{name}/bones component") == inside
    again = array(yoga.request("vget /camera/0/object_mask png"))
    assert (again == before).mean() > 0.999
    assert yoga.request(f"vset /object/{name}/scale 2 2 2").startswith("error")

    assert yoga.request(f"vset /object/{name}/hide") == "ok"
    hidden = array(yoga.request("vget /camera/0/object_mask png"))
    assert not (hidden == mine).all(axis=-1).any()
    assert yoga.request(f"vset /object/{name}/destroy") == "ok"
    assert name not in yoga.request("vget /avatars")


def test_the_page_names_every_option() -> None:
    from spinetrack_synth.cli.serve import command

    text = (Path(__file__).parents[3] / "docs/unreal-server.md").read_text()
    for parameter in command.params:
        assert f"`{parameter.opts[0]}`" in text, parameter.opts[0]
