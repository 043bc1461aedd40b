"""Things from mesh files in scenes: size, turn and place, and what is told of mistakes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes import load_props, load_scene, make_shot
from spinetrack_synth.scenes.mats import THICKNESS_M
from spinetrack_synth.scenes.mesh_props import MeshProp, furnished, out_of_place
from spinetrack_synth.scenes.places import place

trimesh = pytest.importorskip("trimesh", reason="pip install 'spinetrack-synth[meshes]'")

BENCH = 'name = "bench"\nfile = "bench.stl"\nposition_m = [1.0, 0.0, -0.5]\n'


def scene(folder: Path, *things: str, places: str = "studio = 1") -> Path:
    yoga = files("spinetrack_synth.scenes").joinpath("yoga.toml").read_text()
    head, _, rest = yoga.partition("[places]")
    _, _, rest = rest.partition("[poses]")
    text = head.replace('name = "yoga"', 'name = "gym"') + f"[places]\n{places}\n[poses]{rest}\n"
    path = folder / "gym.toml"
    path.write_text(text + "".join(f"[[props]]\n{thing}\n" for thing in things))
    return path


def bench(folder: Path, extents: tuple[float, float, float], name: str = "bench.stl") -> None:
    """A box with a lump towards its +X, +Y, +Z corner, away from the origin of its file."""
    box = trimesh.creation.box(extents)
    lump = trimesh.creation.box(np.array(extents) / 5)
    lump.apply_translation(np.array(extents) * 0.3)
    mesh = trimesh.util.concatenate([box, lump])
    mesh.apply_translation([7, 8, 9])
    mesh.export(folder / name)


def loaded(folder: Path, thing: str) -> MeshProp:
    (prop,) = load_props(load_scene(scene(folder, thing)).props)
    return prop


def test_it_stands_with_the_middle_of_its_underside_where_it_is_told(tmp_path: Path) -> None:
    bench(tmp_path, (1.2, 0.45, 0.4))
    prop = loaded(tmp_path, BENCH)
    assert prop.thing.asset == "prop/bench"
    low, high = prop.box
    np.testing.assert_allclose(high - low, [1.2, 0.45, 0.4], atol=1e-5)
    np.testing.assert_allclose(
        [*(low + high)[[0, 2]] / 2, low[1]], [1, -0.5, -THICKNESS_M], atol=1e-5
    )
    raised = loaded(tmp_path, BENCH.replace("0.0, -0.5", "0.7, -0.5"))
    assert raised.box[0, 1] == pytest.approx(0.7 - THICKNESS_M, abs=1e-5)


@pytest.mark.parametrize(
    ("unit", "factor"), [("mm", 1000), ("cm", 100), ("in", 1 / 0.0254), ("ft", 1 / 0.3048)]
)
def test_units_become_metres(unit: str, factor: float, tmp_path: Path) -> None:
    bench(tmp_path, (1.2 * factor, 0.45 * factor, 0.4 * factor))
    prop = loaded(tmp_path, BENCH + f'unit = "{unit}"')
    np.testing.assert_allclose(np.ptp(prop.box, axis=0), [1.2, 0.45, 0.4], rtol=1e-5)


def test_a_size_says_the_longest_side(tmp_path: Path) -> None:
    bench(tmp_path, (3, 5, 4))
    prop = loaded(tmp_path, BENCH + "size_m = 2.0")
    np.testing.assert_allclose(np.ptp(prop.box, axis=0), [1.2, 2, 1.6], rtol=1e-5)


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
def test_any_axis_may_be_up(up: str, tmp_path: Path) -> None:
    lengths = {"x": 0.5, "y": 0.6, "z": 0.7}
    bench(tmp_path, (0.5, 0.6, 0.7))
    prop = loaded(tmp_path, BENCH + f'up = "{up}"')
    (part,) = prop.unit
    points = part.vertices_world.astype(float)
    assert np.ptp(points, axis=0)[1] == pytest.approx(lengths[up[-1]], rel=1e-5)
    corners = points[part.faces]
    volume = np.linalg.det(corners).sum() / 6
    assert volume > 0, "turned, not mirrored"
    middle = (points.max(0) + points.min(0)) / 2
    lump = (corners.mean(axis=1) - middle)[12:].mean(axis=0)
    assert (lump[1] > 0) == (not up.startswith("-"))


def test_it_turns_as_things_do(tmp_path: Path) -> None:
    bench(tmp_path, (1.2, 0.45, 0.4))
    prop = loaded(tmp_path, BENCH + "yaw_deg = 90")
    np.testing.assert_allclose(np.ptp(prop.box, axis=0), [0.4, 0.45, 1.2], atol=1e-5)
    corner = prop.unit[0].vertices_world.argmax(axis=0)[0]  # its +X end comes to -Z, to the left
    assert prop.surfaces[0].vertices_world[corner, 2] == pytest.approx(-0.5 - 0.6, abs=1e-4)


@pytest.mark.parametrize(
    ("extents", "extra", "message"),
    [
        ((1200, 450, 400), "", 'is 1200 x 450 x 400 m with unit = m; unit = "mm" makes it 1.2'),
        (
            (1.2, 0.4, 0.4),
            'unit = "mm"',
            '0.0012 x 0.0004 x 0.0004 m with unit = mm; unit = "m"',
        ),
        ((1, 1, 1), "size_m = 300", "is 300 x 300 x 300 m by size_m"),
        ((1e9, 1, 1), "", "set unit"),
    ],
)
def test_absurd_sizes_are_told_in_metres(
    extents: tuple[float, float, float], extra: str, message: str, tmp_path: Path
) -> None:
    bench(tmp_path, extents)
    with pytest.raises(UserError) as told:
        loaded(tmp_path, BENCH + extra)
    assert message in str(told.value) and "thing 'bench'" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (BENCH.replace("bench.stl", ""), "props[0].file: '' is no text"),
        (BENCH.replace("file", "fiel"), "props[0].fiel: unknown key; did you mean 'file'"),
        (BENCH.replace('"bench"', '"My Bench"'), "props[0].name: 'My Bench': use small letters"),
        (
            BENCH.replace("1.0, 0.0", "1.0, -0.2"),
            "position_m: [1.0, -0.2, -0.5] is no place",
        ),
        (BENCH.replace("1.0, 0.0", "1.0"), "props[0].position_m"),
        (BENCH + 'unit = "km"', "props[0].unit: 'km' is none of m, cm, mm, in, ft"),
        (BENCH + 'up = "w"', "props[0].up: 'w' is none of x, y, z"),
        (BENCH + "yaw_deg = 1000", "props[0].yaw_deg: 1000 is no angle"),
        (BENCH + "color = [255, 0, 0]", "props[0].color: [255, 0, 0] is no colour"),
        (BENCH + 'unit = "mm"\nsize_m = 1', "props[0].size_m: goes without 'unit'"),
        (BENCH + "[[props]]\n" + BENCH, "props[1].name: 'bench' is taken"),
    ],
)
def test_mistakes_name_their_key(thing: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        load_scene(scene(tmp_path, thing))
    assert message in str(told.value) and "gym.toml" in str(told.value)


def test_a_file_that_is_not_there_names_the_thing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"thing 'bench': .*bench\.stl: No such file"):
        loaded(tmp_path, BENCH)


def test_scenes_without_things_read_no_mesh() -> None:
    assert load_scene("yoga").props == () and load_props(()) == ()
    here = place("studio", 0)
    assert furnished(here, ()) is here


def test_a_place_knows_what_stands_in_it(tmp_path: Path) -> None:
    bench(tmp_path, (1.2, 0.45, 0.4))
    prop = loaded(tmp_path, BENCH)
    here = place("studio", 0)
    with_bench = furnished(here, (prop,))
    assert with_bench.surfaces[-1] is prop.surfaces[0]
    np.testing.assert_array_equal(with_bench.obstacles[-1], prop.box)
    assert out_of_place(here, (prop,)) is None
    far = loaded(tmp_path, BENCH.replace("1.0, 0.0", "4.2, 0.0"))
    assert out_of_place(here, (prop, far)) is far


@pytest.mark.slow
def test_people_and_cameras_keep_clear_of_it(cast, tmp_path: Path) -> None:
    bench(tmp_path, (1.2, 0.45, 0.4))
    described = load_scene(scene(tmp_path, BENCH))
    props = load_props(described.props)
    low, high = props[0].box
    for index in range(6):
        shot = make_shot(described, 3, index, cast, (320, 240), props=props)
        assert shot.things[0] == props[0].thing
        assert any(surface is props[0].surfaces[0] for surface in shot.surroundings)
        for person in shot.people:
            inside = ((person.skin_world > low) & (person.skin_world < high)).all(axis=1)
            assert not inside.any()
        away = np.maximum(low - shot.camera.position_world, shot.camera.position_world - high)
        assert np.linalg.norm(np.maximum(away, 0)) >= described.camera.clearance_m


@pytest.mark.slow
def test_what_fits_in_no_variant_is_refused(cast, tmp_path: Path) -> None:
    bench(tmp_path, (1.2, 0.45, 0.4))
    described = load_scene(scene(tmp_path, BENCH.replace("1.0, 0.0", "6.0, 0.0")))
    with pytest.raises(UserError, match=r"'bench' takes x 5.40 to 6.60.* of every studio"):
        make_shot(described, 3, 0, cast, (320, 240), props=load_props(described.props))
