"""What the driver asks of an engine before it draws, and what it does for each shot."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from ball_engine import Actor, BallEngine
from fakes import BallRenderer, ball_person, ball_shot

from spinetrack_synth.distortion import Distortion
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import EngineSettings
from spinetrack_synth.rendering.unreal.decoding import COLORS, PLAIN
from spinetrack_synth.rendering.unreal.messages import TOKEN_VARIABLE
from spinetrack_synth.rendering.unreal.renderer import open_engines
from spinetrack_synth.rendering.unreal.stage import WARM_UP
from spinetrack_synth.shot import Film, Sun, Thing

pytestmark = pytest.mark.slow

pytest.importorskip("unrealcv")

SIZE = (96, 144)


def shot_of(*people: str, **changes):
    """Some people side by side."""
    standing = [
        ball_person(name, pelvis_tz=0.8 * k, arm_flex_l=1.0 + k) for k, name in enumerate(people)
    ]
    shot = ball_shot(*standing, size=SIZE, focal_px=120, target=(0.0, 0.9, 0.4))
    return replace(shot, **changes)


def sent(engine: BallEngine, start: str) -> list[str]:
    return [command for command in engine.commands if command.startswith(start)]


# Before the first shot


def test_missing_commands_are_named_with_what_brings_them(balls: BallEngine, drive) -> None:
    for template in ("vset /avatar/[str]/pose [str]", "vget /avatars", "vset /cameras/spawn"):
        balls.templates.remove(template)
    with pytest.raises(UserError) as error:
        drive(balls.port)
    assert str(error.value) == (
        f"127.0.0.1:{balls.port}: UnrealCV 1.1.2 there lacks 'vset /cameras/spawn' (UnrealCV "
        "1.0.1 or newer, see unreal_project/README.md); 'vget /avatars', "
        "'vset /avatar/name/pose {}' (the project's own module, see unreal_project/README.md)"
    )


def test_a_server_that_lists_nothing(balls: BallEngine, drive) -> None:
    balls.templates.remove("vget /unrealcv/commands")
    with pytest.raises(
        UserError, match=r"lists neither its commands nor .*UnrealCV 1\.0\.1 or newer"
    ):
        drive(balls.port)


class Guarded(BallEngine):
    """A server that wants a token, as `serve` does beyond this machine."""

    def __init__(self, token: str) -> None:
        self.token, self.inside = token, False
        super().__init__()
        self.templates.append("vset /session/token [str]")

    def answer(self, command: str) -> bytes:
        if command.startswith("vset /session/token "):
            self.inside = command.endswith(f" {self.token}")
            return b"ok" if self.inside else b"error that is not the token"
        if not self.inside and not command.startswith("vget /unrealcv/"):
            return b"error this server wants its token first: vset /session/token TOKEN"
        return super().answer(command)


def test_a_token_is_taken_from_the_environment(drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "0123456789abcdef")
    with Guarded("0123456789abcdef") as engine:
        assert drive(engine.port).render(shot_of("ada")).ids.any()


@pytest.mark.parametrize("held", ["", "another-than-that"])
def test_a_missing_or_wrong_token_is_told(
    drive, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, held)
    with Guarded("0123456789abcdef") as engine, pytest.raises(UserError) as error:
        drive(engine.port)
    assert f": the server wants a token: {TOKEN_VARIABLE} " in str(error.value)
    assert "another-than-that" not in str(error.value)


def test_a_token_is_not_told_to_who_does_not_ask(
    balls: BallEngine, drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "0123456789abcdef")
    drive(balls.port).render(shot_of("ada"))
    assert not any("0123456789abcdef" in command for command in balls.commands)


def test_settings_go_where_the_engine_knows_them(balls: BallEngine, drive) -> None:
    drive(balls.port)
    assert "vset /camera/1/motion_blur 0 0 0 0" in balls.commands
    assert "vset /action/game/pause" in balls.commands
    assert not any("exposure" in command for command in balls.commands)
    assert not balls.actors, "the calibration's cube stayed"


def test_metres_of_depth_are_noticed(balls: BallEngine, drive) -> None:
    balls.depth_per_cm = 0.01
    shot = shot_of("ada")
    frame, exact = drive(balls.port).render(shot), BallRenderer().render(shot)
    seen = np.isfinite(exact.depth_m)
    np.testing.assert_array_equal(np.isfinite(frame.depth_m), seen)
    np.testing.assert_allclose(frame.depth_m[seen], exact.depth_m[seen], rtol=2**-10)


def test_another_unit_of_depth_is_refused(balls: BallEngine, drive) -> None:
    balls.depth_per_cm = 0.5
    with pytest.raises(UserError, match=r"depth changes by 0\.5 for each cm"):
        drive(balls.port)


def test_another_meaning_of_the_field_of_view_is_refused(balls: BallEngine, drive) -> None:
    balls.fov_of_width = True
    with pytest.raises(UserError, match=r"focal length is 25\d px instead of 343; it must span"):
        drive(balls.port)


def test_nobody_there_is_one_line_that_helps(balls: BallEngine, drive) -> None:
    balls.stop()
    with pytest.raises(UserError, match=r"nothing listens there; start the engine, .*--launch"):
        drive(balls.port)


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(UserError, match="--launch starts an engine on this machine, not on far"):
        open_engines(EngineSettings(host="far", launch=__file__))
    with pytest.raises(UserError, match="--engines goes with --launch"):
        open_engines(EngineSettings(count=2))


def test_engines_of_one_run_are_equal(balls: BallEngine, drive) -> None:
    with BallEngine() as other, pytest.raises(UserError, match="the engines differ"):
        other.project["hash"] = "b2"
        drive(balls.port, other.port)


def test_options_of_engines_need_the_backend(tmp_path) -> None:
    from spinetrack_synth.cli.render import command

    asked = ["--scenes", "yoga", "--count", "1", "--out", str(tmp_path / "out")]
    for option in (["--port", "9000"], ["--host", "far"], ["--engines", "2"]):
        with pytest.raises(UserError, match="go with --backend unreal"):
            command.main([*asked, *option], standalone_mode=False)
    assert not (tmp_path / "out").exists()


# Shots


def test_a_shot_comes_back_as_it_was_meant(balls: BallEngine, drive) -> None:
    shot = shot_of("ada", "bo")
    frame, exact = drive(balls.port).render(shot), BallRenderer().render(shot)
    np.testing.assert_array_equal(frame.ids, exact.ids)
    np.testing.assert_array_equal(frame.rgb, exact.rgb)
    seen = np.isfinite(exact.depth_m)
    np.testing.assert_allclose(frame.depth_m[seen], exact.depth_m[seen], rtol=2**-11)
    for drawn, person in zip(frame.people, shot.people, strict=True):
        assert drawn.subject_id == person.subject_id
        np.testing.assert_allclose(drawn.keypoints_world, person.keypoints_world, atol=1e-6)
        assert drawn.keypoints_world is not person.keypoints_world


def test_people_stay_while_they_are_needed(balls: BallEngine, drive) -> None:
    renderer = drive(balls.port)
    balls.actors["left_over"] = Actor("somebody", (1, 2, 3), ball_person().body2world)
    for people in (("ada", "bo"), ("bo", "cy"), ("ada",)):
        frame = renderer.render(shot_of(*people))
        assert [person.subject_id for person in frame.people] == list(people)
        assert sorted(actor.asset for actor in balls.actors.values()) == sorted(people)
    spawned = Counter(command.split()[2] for command in sent(balls, "vset /avatars/spawn"))
    assert spawned == {"ada": 2, "bo": 1, "cy": 1}
    names = [command.split()[3] for command in sent(balls, "vset /avatars/spawn")]
    assert len(set(names)) == len(names), "a name came back that an engine may still hold"


def test_who_was_left_by_another_client_is_not_reused(balls: BallEngine, drive) -> None:
    """Nobody knows what that client did to them: they may be hidden."""
    balls.actors["ada_1"] = Actor("ada", (1, 2, 3), ball_person().body2world)
    drive(balls.port).render(shot_of("ada"))
    assert "vset /object/ada_1/destroy" in balls.commands
    assert [actor.asset for actor in balls.actors.values()] == ["ada"]
    assert "ada_1" not in balls.actors


def test_bones_are_known_in_any_case(balls: BallEngine, drive) -> None:
    """Names of a packaged Unreal project do not keep theirs."""
    balls.spoil = lambda command, reply: (
        reply.upper() if command.startswith("vget /avatar/") else reply
    )
    shot = shot_of("ada")
    (drawn,) = drive(balls.port).render(shot).people
    np.testing.assert_allclose(drawn.body2world, shot.people[0].body2world, atol=1e-6)


def test_what_could_be_taken_for_a_person_is_painted_over(balls: BallEngine, drive) -> None:
    red, green, blue = COLORS[3]
    far = np.array([0.0, 0.0, -50_000.0])
    balls.actors["wall"] = Actor("cube", (red + 9, green, blue), location=far)
    balls.actors["door"] = Actor("cube", (255, 255, 255), location=far)
    drive(balls.port).render(shot_of("ada"))
    assert balls.actors["wall"].color == PLAIN
    assert balls.actors["door"].color == (255, 255, 255)


def test_things_without_a_colour_do_not_matter(balls: BallEngine, drive) -> None:
    balls.actors["fog"] = Actor("cube", (255, 255, 255), location=np.array([0.0, 0.0, -50_000.0]))
    balls.spoil = lambda command, reply: (
        b"error It has no mesh" if command == "vget /object/fog/color" else reply
    )
    assert drive(balls.port).render(shot_of("ada")).ids.any()


def test_place_things_and_lights_are_sent(balls: BallEngine, drive) -> None:
    shot = shot_of(
        "ada",
        place="park",
        variant=2,
        things=(Thing("mat/3", (1.0, 0.0, 2.0), 0.5),),
        lights=(Sun((0.0, 1.0, 0.0)),),
        exposure=1.5,
    )
    renderer = drive(balls.port)
    renderer.render(shot)
    renderer.render(shot)
    assert sent(balls, "vset /place") == ["vset /place/park/2"]
    assert sent(balls, "vset /things")[0] == (
        'vset /things [{"asset":"mat/3","location":[100,200,0],"yaw":-28.647890,"scale":[1,1,1]}]'
    ).replace("28.647890", "28.64789")
    assert sent(balls, "vset /lights")[0].endswith('"exposure":1.5}')


def test_fingers_are_bent_where_the_engine_can(balls: BallEngine, drive) -> None:
    person = replace(ball_person("ada"), fingers_rad=np.full((2, 5, 3), np.radians(30)))
    shot = ball_shot(person, size=SIZE, focal_px=120)
    renderer = drive(balls.port)
    renderer.render(shot)
    assert not any("/fingers" in command for command in balls.commands)
    renderer.close()
    balls.templates.append("vset /avatar/[str]/fingers [str]")
    drive(balls.port).render(shot)
    bends = [command for command in balls.commands if "/fingers" in command]
    assert len(bends) == 1 and bends[0].endswith(
        f"[[{','.join(['30'] * 15)}],[{','.join(['30'] * 15)}]]"
    )


def test_unreal_is_let_settle(drive) -> None:
    for name, views in (("spinetrack-synth 0.1", 1), ("Unreal Engine 5.4", 1 + WARM_UP)):
        with BallEngine(engine=name) as engine:
            renderer = drive(engine.port)
            engine.commands.clear()
            renderer.render(shot_of("ada"))
            assert len(sent(engine, "vget /camera/1/lit")) == views
            order = [command.split()[1] for command in engine.commands]
            posed = next(k for k, c in enumerate(order) if c.endswith("/pose"))
            assert posed < order.index("/camera/1/lit") < order.index("/camera/1/depth")


def test_a_lens_that_unreal_does_not_have(balls: BallEngine, drive) -> None:
    renderer = drive(balls.port)
    shot = shot_of("ada")
    for row, column, by in ((0, 2, 3.0), (1, 1, 1.0), (0, 1, 0.5)):
        K = shot.camera.K.copy()
        K[row, column] += by
        with pytest.raises(UserError, match="square pixels and their principal point"):
            renderer.render(replace(shot, camera=replace(shot.camera, K=K)))
    assert not sent(balls, "vset /avatars/spawn")


def test_unreal_draws_pinholes_says_so_and_puts_them_on_film(balls: BallEngine, drive) -> None:
    shot = shot_of("ada")
    filmed = replace(
        shot,
        camera=replace(shot.camera, distortion=Distortion(k1=-0.1), aperture_m=0.02, focus_m=4.0),
        film=Film(vignetting_stops=2.0),
    )
    renderer = drive(balls.port)
    plain, frame = renderer.render(shot), renderer.render(filmed)
    assert frame.camera is not None
    assert (frame.camera.distortion, frame.camera.aperture_m) == (None, 0)
    np.testing.assert_array_equal(frame.ids, plain.ids)
    np.testing.assert_array_equal(frame.depth_m, plain.depth_m)
    assert frame.rgb[0, 0, 0] < 0.7 * plain.rgb[0, 0, 0]
    middle = np.s_[SIZE[1] // 2, SIZE[0] // 2]
    assert np.abs(frame.rgb[middle].astype(int) - plain.rgb[middle]).max() <= 1


def test_more_people_than_colours(balls: BallEngine, drive) -> None:
    with pytest.raises(UserError, match=f"25 people, {len(COLORS)} colours"):
        drive(balls.port).render(shot_of(*(f"p{k}" for k in range(25))))


def test_colours_are_far_apart_and_bright_enough() -> None:
    colors = np.array(COLORS)
    assert colors.min() >= 32
    apart = np.abs(colors[:, None] - colors[None]).max(axis=-1)
    assert apart[~np.eye(len(colors), dtype=bool)].min() >= 80
