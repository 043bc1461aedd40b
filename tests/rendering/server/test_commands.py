"""Every command of the list, asked by the official client over both sockets of a real process.

What lies behind both sockets alike is asked over one of them.
"""

from __future__ import annotations

import io
import json
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

EXAMPLES = {
    "vget /unrealcv/version": r"1\.1\.2",
    "vget /unrealcv/echo a_b": "a_b",
    "vget /scene/name": "spinetrack_synth",
    "vget /level/name": "empty",
    "vget /cameras": "FusionCameraActor_0",
    "vget /camera/0/location": r"0\.000 0\.000 100\.000",
    "vset /camera/0/location -12.5 3 +140.25": "ok",
    "vget /camera/0/rotation": r"0\.000 0\.000 0\.000",
    "vset /camera/0/rotation -10 90 5": "ok",
    "vget /camera/0/pose": r"-12\.500 3\.000 140\.250 -10\.000 90\.000 5\.000",
    "vset /camera/0/pose 0 0 100 0 0 0": "ok",
    "vget /camera/0/fov": r"90\.000000",
    "vset /camera/0/fov 60.5": "ok",
    "vget /camera/0/size": "60 40",
    "vset /camera/0/size 80 48": "ok",
    "vset /cameras/spawn": "FusionCameraActor_1",
    "vget /camera/1/size": "80 48",
    "vset /camera/9/fov 60": "error Invalid sensor id",
    "vset /camera/0/fov 0": "error a field of view of 0 degrees is not in 1-170",
    "vset /camera/0/size 0 48": "error a size of 0 x 48 is not in 1-8192",
    "vset /viewmode depth": "ok",
    "vget /viewmode": "depth",
    "vset /viewmode wireframe": "error Unrecognized ViewMode .*",
    "vget /objects": "ok",
    "vset /objects/spawn_cube": "CubeActor_0",
    "vset /objects/spawn_cube box": "box",
    "vset /objects/spawn_cube 1 2 3": "CubeActor_1",
    "vset /objects/spawn_cube far 100 200 50": "far",
    "vset /objects/spawn CubeActor": "CubeActor_2",
    "vset /objects/spawn CubeActor cube": "cube",
    "vset /objects/spawn mat/3 0 0 1": "mat_3_0",
    "vset /objects/spawn gear/bolster/1 roll 300 0 1": "roll",
    "vset /objects/spawn FusionCameraActor left 0 0 150": "left",
    "vget /camera/2/location": r"0\.000 0\.000 150\.000",
    "vset /objects/spawn Dragon": "error Can not find a class with name 'Dragon'",
    "vset /objects/spawn_cube far": "error Failed to spawn far, object exists.",
    "vget /object/far/location": r"100\.000 200\.000 50\.000",
    "vset /object/far/location 0 0 50": "ok",
    "vget /object/far/bounds": "-50.00 -50.00 0.00 50.00 50.00 100.00",
    "vset /object/far/rotation 0 45 0": "ok",
    "vget /object/far/rotation": r"0\.000 45\.000 0\.000",
    "vset /object/far/scale 2 1 1": "ok",
    "vget /object/far/scale": r"2\.000 1\.000 1\.000",
    "vset /object/far/color 250 40 90": "ok",
    "vget /object/far/color": r"\(R=250,G=40,B=90,A=255\)",
    "vset /object/far/color 256 0 0": "error 256 0 0 is no colour: 0-255 each",
    "vset /object/far/hide": "ok",
    "vset /object/far/show": "ok",
    "vget /object/far/mobility": "Movable",
    "vget /object/far/uclass_name": "CubeActor",
    "vget /object/far/vertex_location": r"(-?\d+\.\d{5}     ){2}-?\d+\.\d{5}(.|\n)*",
    "vget /object/far/bones": "error No skeletal or poseable mesh component found",
    "vget /object/far/bones world": "error No skeletal .*",
    "vget /object/far/bones a,b world": "error No skeletal .*",
    "vset /object/far/name near": "ok",
    "vset /object/near/name box": "error Renaming .* not allowed: box",
    "vset /object/near/destroy": "ok",
    "vget /object/near/location": "error Cannot find object",
    "vset /action/game/pause": "ok",
    "vget /action/game/is_paused": "true",
    "vset /action/game/resume": "ok",
    "vset /action/input/enable": "ok",
    "vset /action/input/disable": "ok",
    "vset /session/token none_is_wanted": "ok",
    "vset /camera/0/moveto 1 2 3": "error No handler found .*: UnrealCV has this command, .*",
    "vbp box set_phy 0": "error No handler found .*: UnrealCV has this command, .*",
    "vrun setres 90x50w": "ok",
    "vrun r.MotionBlurQuality 0": "ok",
    "vrun stat": "ok",
    "vrun one two three": "ok",
    "vrun one two three four": "ok",
    "vrun one two three four five": "ok",
    "vrun one two three four five six": "ok",
    "vcmd one": "ok",
    "vget /avatars": r"\[\]",
    "vset /avatars/spawn nobody a": "error there is no avatar nobody; .*",
    "vget /avatar/box/pose": "error box is no avatar",
    "vset /avatar/box/pose {}": "error box is no avatar",
    "vget /avatar/box/fingers": "error box is no avatar",
    "vset /avatar/box/fingers []": "error box is no avatar",
    "vget /place": "error there is no place",
    "vset /place/moon/0": "error there is no place moon 0; there are studio 0-7, .*",
    "vset /place/studio/8": "error there is no place studio 8; .*",
    'vset /things [{"asset":"mat/1","location":[0,0,0],"yaw":0,"scale":[1,1,1]}]': "ok",
    'vset /things [{"asset":"mat/x","location":[0,0,0],"yaw":0,"scale":[1,1,1]}]': "error .*mat/x",
    "vset /things {": "error .*",
    'vset /lights {"lights":[{"type":"ambient","radiance":[1,1,1]}],"exposure":1}': "ok",
    'vset /lights {"lights":[{"type":"torch"}],"exposure":1}': "error .*torch.*",
}  # fmt: skip
"""Command -> what the reply must be, in this order on a fresh level."""

ASKED_ELSEWHERE = {
    "vget /unrealcv/status", "vget /unrealcv/help", "vget /unrealcv/commands", "vget /project",
    "vget /screenshot [str]",
    *(f"vget /camera/[uint]/{mode} [str]"
      for mode in ("lit", "object_mask", "seg", "normal", "depth")),
}  # fmt: skip


@pytest.fixture
def client(stripes, connect):
    """A client of a fresh level, that fails where the server does not list what it asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "(?s).*(moveto|vbp)")  # asked to be told why not
        yield connect(stripes[1])


over_tcp = pytest.mark.parametrize("connect", ["tcp"], indirect=True)


def fits(template: str, command: str) -> bool:
    literals = re.split(r"\[\w+\]", template)
    return re.fullmatch(r"\S+".join(re.escape(text) for text in literals), command) is not None


def test_every_command_of_the_list(client) -> None:
    for command, expected in EXAMPLES.items():
        answer = client.request(command)
        assert re.fullmatch(expected, answer), (command, answer)
    listed = client.request("vget /unrealcv/commands").splitlines()
    assert listed == sorted(listed)
    unasked = {
        template
        for template in set(listed) - ASKED_ELSEWHERE
        if not any(fits(template, command) for command in EXAMPLES)
    }
    assert not unasked


@over_tcp
def test_what_the_server_tells_of_itself(client, stripes) -> None:
    status = client.request("vget /unrealcv/status").splitlines()
    assert status[:4] == ["Is Listening", "Client Connected", str(stripes[1]), "Configuration"]
    told = dict(line.split(": ", 1) for line in status[4:])
    assert told.keys() == {"Config file", "Port", "Width", "Height", "FOV"}
    assert (told["Width"], told["Height"], told["FOV"]) == ("60", "40", "90.0")
    help = client.request("vget /unrealcv/help")
    for template in client.request("vget /unrealcv/commands").splitlines():
        assert f"{template}\n" in help
    project = json.loads(client.request("vget /project"))
    assert project.keys() == {"name", "version", "hash", "engine", "plugin"}
    assert project["engine"].startswith("spinetrack-synth ")


def decoded(reply: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(reply)))


@over_tcp
def test_masks_show_each_object_in_its_colour(client) -> None:
    colors = []
    for name in "abc":
        assert client.request(f"vset /objects/spawn_cube {name}") == name
        given = client.request(f"vget /object/{name}/color")
        colors.append([int(v) for v in re.findall(r"\d+", given)])
        assert min(colors[-1]) >= 32, "darker channels get lost in an engine"
    assert len({tuple(color) for color in colors}) == 3
    mask = decoded(client.request("vget /camera/0/object_mask png"))
    assert mask.shape == (40, 60, 4)
    # Stripes: three cubes, the ground, and nothing.
    for k, color in enumerate([*colors, [0, 0, 0, 255], [0, 0, 0, 255]]):
        assert (mask[:, 12 * k : 12 * k + 12] == color).all()
    assert client.request("vset /object/b/color 10 20 30") == "ok"
    again = decoded(client.request("vget /camera/0/seg png"))
    assert (again[:, 12:24] == [10, 20, 30, 255]).all()
    assert (again[:, :12] == mask[:, :12]).all()
    client.request("vset /object/a/hide")
    hidden = decoded(client.request("vget /camera/0/object_mask png"))
    assert (hidden[:, :15] == [10, 20, 30, 255]).all()


@over_tcp
def test_every_picture_in_every_form(client, tmp_path: Path) -> None:
    depth = np.load(io.BytesIO(client.request("vget /camera/0/depth npy")))
    assert (depth.shape, depth.dtype) == ((40, 60), np.float32)
    assert set(np.unique(depth)) == {np.float32(np.float16(314.159)), np.float32(65504)}
    normal = np.load(io.BytesIO(client.request("vget /camera/0/normal npy")))
    assert (normal.shape, normal.dtype) == ((40, 60, 3), np.float32)
    np.testing.assert_array_equal(normal[0, 0], [0, 0, 1])  # up is Unreal's Z
    shown = decoded(client.request("vget /camera/0/normal png"))
    np.testing.assert_array_equal(shown[0, 0], [128, 128, 255, 255])
    np.testing.assert_array_equal(shown[0, -1], [0, 0, 0, 255])
    lit = np.load(io.BytesIO(client.request("vget /camera/0/lit npy")))
    np.testing.assert_array_equal(lit[0, 0], [20, 21, 22, 255])
    for mode in ("lit", "object_mask", "normal", "depth"):
        png = decoded(client.request(f"vget /camera/0/{mode} png"))
        assert png.shape == (40, 60, 4)
        bmp = decoded(client.request(f"vget /camera/0/{mode} bmp"))
        np.testing.assert_array_equal(bmp, png[..., :3])
        raw = np.frombuffer(client.request(f"vget /camera/0/{mode} bmp"), dtype=np.uint8)
        blue_first = raw[-40 * 60 * 4 :].reshape(40, 60, 4)[..., :3]
        np.testing.assert_array_equal(blue_first[..., ::-1], png[..., :3])
        for form in ("png", "npy", "bmp"):
            name = f"pictures/{mode}.{form}"
            path = client.request(f"vget /camera/0/{mode} {name}")
            assert path == str(tmp_path / "served" / name)
            content = client.request(f"vget /camera/0/{mode} {form}")
            assert Path(path).read_bytes() == content
    assert client.request("vget /screenshot png") == client.request("vget /camera/0/lit png")
    absolute = tmp_path / "served/absolute.PNG"
    assert client.request(f"vget /camera/0/lit {absolute}") == str(absolute)
    status = client.request("vget /unrealcv/status")
    assert f"Config file: {tmp_path}/served/unrealcv.ini" in status
    for wrong in ("jpg", "picture.jpg", "picture", "png.", "/proc/none/lit.png"):
        assert client.request(f"vget /camera/0/lit {wrong}").startswith("error ")


@over_tcp
def test_no_file_is_written_outside_the_folder(client, tmp_path: Path) -> None:
    """The server's folder is `served`; what lies beside it is what clients are after."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("precious.png", "precious.npy", "precious.bmp"):
        (outside / name).write_bytes(b"precious")
    served = tmp_path / "served"
    (served / "link").symlink_to(outside)
    for form in ("png", "npy", "bmp"):
        (served / f"link.{form}").symlink_to(outside / f"precious.{form}")
        (served / f"new.{form}").symlink_to(outside / f"new.{form}")
        os.mkfifo(served / f"pipe.{form}")

    def there() -> set[tuple]:
        found = ((path, path.lstat()) for path in tmp_path.rglob("*"))
        return {(path, s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns) for path, s in found}

    before = there()
    commands = [f"vget /camera/0/{m}" for m in ("lit", "object_mask", "seg", "normal", "depth")]
    for command in [*commands, "vget /screenshot"]:
        for form in ("png", "npy", "bmp"):
            for name in (
                "../precious", "../outside/precious", "link/precious", "link", "new", "pipe",
                f"{outside}/precious", f"{outside}/new/new", f"{served}/../outside/precious",
                "a/../../outside/precious", "/precious", "link/../new", "/dev/precious",
            ):  # fmt: skip
                answer = client.request(f"{command} {name}.{form}")
                assert answer.startswith("error ") and "\n" not in answer, (name, answer)
                assert "nowhere else: give a name" in answer or "cannot be written" in answer
    assert there() == before


@over_tcp
def test_the_size_of_pictures_is_that_of_the_camera(client) -> None:
    client.request("vset /cameras/spawn")
    client.request("vset /camera/1/size 31 77")
    assert decoded(client.request("vget /camera/1/lit png")).shape == (77, 31, 4)
    assert decoded(client.request("vget /camera/0/lit png")).shape == (40, 60, 4)


def test_requests_in_one_go(client) -> None:
    commands = ["vset /camera/0/fov 50", "vget /camera/0/fov", "vget /camera/0/depth npy"] * 50
    replies = client.request_batch(commands)
    assert replies[::3] == ["ok"] * 50
    assert replies[1::3] == ["50.000000"] * 50
    assert len(set(replies[2::3])) == 1


def test_what_was_set_stays_for_the_next_client(stripes, connect) -> None:
    first = connect(stripes[1])
    assert first.request("vset /camera/0/location 7 8 9") == "ok"
    first.request("vset /camera/0/fov 33", timeout=-1)  # not waited for
    first.disconnect()
    second = connect(stripes[1])
    assert second.request("vget /camera/0/location") == "7.000 8.000 9.000"
    assert second.request("vget /camera/0/fov") == "33.000000"
