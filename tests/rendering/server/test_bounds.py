"""Numbers that no level can bear are refused in one line, whatever command they come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinetrack_synth.rendering.server.commands.table import CommandTable
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import Actor, Level, Pose
from spinetrack_synth.rendering.unreal.messages import fingers_json, pose_json

SUN = '{"type":"sun","direction":[0,0,1],"turbidity":3,"sun_scale":1,"sky_scale":1}'
AREA = '{"type":"area","center":[1,2,3],"half_u":[9,0,0],"half_v":[0,9,0],"radiance":[1,1,1]}'
AMBIENT = '{"type":"ambient","radiance":[0,0,0]}'
LIGHTS = f'vset /lights {{"lights":[{SUN},{AREA},{AMBIENT}],"exposure":1}}'
THING = 'vset /things [{"asset":"mat/1","location":[0,0,0],"yaw":0,"scale":[1,1,1]}]'

NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "9" * 400, "1e38", "1e50", "-1e38", "null")


@pytest.fixture
def table(tmp_path: Path) -> CommandTable:
    """Answers everything but requests for pictures."""
    return CommandTable(Level(), None, 9000, Folder(tmp_path))


def refused(table: CommandTable, command: str, capsys) -> str:
    """What a command is answered that must change nothing and be no fault of the server's."""
    before = table.current.level
    answer = table.dispatcher.answer(command).decode()
    assert answer.startswith("error "), (command, answer)
    assert "\n" not in answer and len(answer) < 400
    assert table.current.level is before, command
    assert capsys.readouterr().err == "", command
    return answer


FIELDS = [
    (LIGHTS, '"exposure":1'), (LIGHTS, '"turbidity":3'), (LIGHTS, '"sun_scale":1'),
    (LIGHTS, '"sky_scale":1'), (LIGHTS, '"direction":[0'), (LIGHTS, '"center":[1'),
    (LIGHTS, '"half_u":[9'), (LIGHTS, '"half_v":[0'), (LIGHTS, '"radiance":[1'),
    (LIGHTS, '"radiance":[0'), (THING, '"location":[0'), (THING, '"yaw":0'), (THING, '"scale":[1'),
]  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize(("command", "field"), FIELDS)
def test_every_number_of_lights_and_things(table, capsys, command, field, number) -> None:
    assert table.dispatcher.answer(command) == b"ok"
    assert field in command
    refused(table, command.replace(field, field[:-1] + number), capsys)


@pytest.mark.parametrize(
    ("field", "wrong", "told"),
    [
        ('"exposure":1', '"exposure":-1', "an exposure of -1 is not in 0.001 to 1000"),
        ('"exposure":1', '"exposure":0', "an exposure of 0 is not in 0.001 to 1000"),
        ('"turbidity":3', '"turbidity":0.5', "a turbidity of 0.5 is not in 1 to 10"),
        ('"sun_scale":1', '"sun_scale":-1', "a factor on the sun or the sky of -1"),
        ('"radiance":[1,1,1]', '"radiance":[1,-1,1]', "a radiance of -1"),
        ('"radiance":[1,1,1]', '"radiance":[1,1]', "is not three numbers"),
        ('"direction":[0,0,1]', '"direction":[0,0,0]', "a sun's direction with a length of 0"),
        ('"half_u":[9,0,0]', '"half_u":[0,0,0]', "a half axis of a light with a length of 0 is"),
    ],
)
def test_lights_that_cannot_shine(table, capsys, field, wrong, told) -> None:
    assert told in refused(table, LIGHTS.replace(field, wrong), capsys)


@pytest.mark.parametrize("rest", ["[" * 100_000, "{" * 50, "5", '"a"', "[5]", '{"lights":5}', ""])
def test_what_is_no_lights_and_no_things(table, capsys, rest: str) -> None:
    refused(table, f"vset /lights {rest}", capsys)
    refused(table, f"vset /things {rest}", capsys)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("vset /camera/0/location 0 0 1000001", "a location of 1e+06 is not in"),
        ("vset /camera/0/location 0 -" + "9" * 300 + " 0", "a location of"),
        ("vset /camera/0/location 0 " + "9" * 400 + " 0", "is too large"),
        ("vset /camera/0/rotation 0 0 " + "9" * 30, "an angle of"),
        ("vset /camera/0/pose 0 0 9999999 0 0 0", "a location of"),
        ("vset /camera/0/pose 0 0 0 0 0 999999", "an angle of"),
        ("vset /camera/0/fov 0", "is not in 1-170"),
        ("vset /camera/0/fov 180", "is not in 1-170"),
        ("vset /camera/0/fov 200", "is not in 1-170"),
        ("vset /camera/0/fov -5", "is not in 1-170"),
        ("vset /camera/0/fov nan", "No handler found"),
        ("vset /camera/0/size 100000 100000", "a size of 100000 x 100000 is not in 1-8192"),
        ("vset /camera/0/size 8193 1", "is not in 1-8192"),
        ("vset /camera/0/size 0 0", "is not in 1-8192"),
        ("vset /camera/0/size " + "9" * 5000 + " 1", ""),
        ("vrun setres 100000x100000w", "is not in 1-8192"),
        ("vset /objects/spawn_cube far 0 0 9999999", "a location of"),
        ("vset /objects/spawn FusionCameraActor far 0 0 9999999", "a location of"),
        ("vset /object/cube/location 0 0 9999999", "a location of"),
        ("vset /object/cube/rotation 0 0 9999999", "an angle of"),
        ("vset /object/cube/scale 1 1 9999", "a scale of 9999 is not in -1000 to 1000"),
    ],
)
def test_numbers_of_cameras_and_objects(table, capsys, command: str, told: str) -> None:
    assert table.dispatcher.answer("vset /objects/spawn_cube cube") == b"cube"
    assert told in refused(table, command, capsys)


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_numbers_of_avatars(table, capsys, monkeypatch, number: str) -> None:
    import numpy as np

    from spinetrack_synth.rendering.server.commands import project as module

    class Tree:
        bodies = ("pelvis", "skull")

    class Stick:  # a body takes seconds to make, and is not asked for more here
        tree = Tree

    monkeypatch.setattr(module, "avatar_of", lambda asset: Stick)
    bodies = np.tile(np.eye(4), (2, 1, 1))
    actor = Actor("anna", "avatar", "s1-001", (1, 2, 3), pose=Pose(bodies))
    table.current.level = table.current.level.with_actor(actor)
    pose, fingers = pose_json(Tree.bodies, bodies), fingers_json(None)
    assert table.dispatcher.answer(f"vset /avatar/anna/pose {pose}") == b"ok"
    assert table.dispatcher.answer(f"vset /avatar/anna/fingers {fingers}") == b"ok"
    for wrong in (pose.replace("[0,", f"[{number},"), pose.replace(",1]", f",{number}]")):
        refused(table, f"vset /avatar/anna/pose {wrong}", capsys)
    wrong = fingers.replace("[0,", f"[{number},", 1)
    refused(table, f"vset /avatar/anna/fingers {wrong}", capsys)
