"""Marker sets of every version on a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.markers import (
    Marker,
    fixed_markers,
    only_markers,
    read_marker_set,
    with_markers,
)
from spinetrack_synth.errors import UserError

SOCKETS = {
    "4": "<socket_parent_frame> /bodyset/femur_r </socket_parent_frame>",
    "4 beta": "<socket_parent_frame_connectee_name>../bodyset/femur_r"
    "</socket_parent_frame_connectee_name>",
    "3.3": '<connectors><Connector_PhysicalFrame_ name="parent_frame"><connectee_name>../femur_r'
    "</connectee_name></Connector_PhysicalFrame_></connectors>",
    "3": "<body>femur_r</body>",
    "2": "<body> femur_r </body><VisibleObject name=''><scale_factors>1 1 1</scale_factors>"
    "</VisibleObject>",
}


def write_set(path: Path, *markers: str) -> Path:
    path.write_text(f'<MarkerSet name="s"><objects>{"".join(markers)}</objects></MarkerSet>')
    return path


@pytest.mark.parametrize("version", SOCKETS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_marker_is_read_and_put_on_its_body(tmp_path, coupled, version, wrapped):
    path = write_set(
        tmp_path / "set.xml",
        f'<Marker name="RTHI">{SOCKETS[version]}<location> 0.01 -0.2 0.07 </location>'
        "<fixed> true </fixed></Marker>",
    )
    if wrapped:
        path.write_text(f'<OpenSimDocument Version="30000">{path.read_text()}</OpenSimDocument>')
    (marker,) = read_marker_set(path)
    assert marker.offset_m == (0.01, -0.2, 0.07) and marker.fixed
    tree = with_markers(coupled, [marker])
    row = tree.marker_index["RTHI"]
    assert tree.bodies[tree.marker_body[row]] == "femur_r"
    np.testing.assert_array_equal(tree.marker_offset_m[row], marker.offset_m)
    assert tree.marker_names[:-1] == coupled.marker_names


def test_a_marker_replaces_one_of_its_name(coupled):
    tree = with_markers(coupled, [Marker("nose", "skull", (0.1, 0.0, 0.0))])
    assert len(tree.marker_names) == len(coupled.marker_names)
    np.testing.assert_array_equal(tree.marker_offset_m[tree.marker_index["nose"]], [0.1, 0.0, 0.0])


def test_markers_may_be_on_ground_and_on_named_frames(coupled):
    tree = with_markers(
        coupled,
        [
            Marker("a", "/ground", (1.0, 2.0, 3.0)),
            Marker("b", "/bodyset/L1/superior_endplate", (0.0, 0.0, 0.0)),
        ],
    )
    assert tree.marker_body[tree.marker_index["a"]] == -1
    frame = coupled.frame_index["L1/superior_endplate"]
    np.testing.assert_allclose(
        tree.marker_offset_m[tree.marker_index["b"]], coupled.frame_in_body[frame, :3, 3]
    )


def test_only_some_markers_are_kept(coupled):
    tree = only_markers(coupled, ["nose", "left_knee", "elsewhere"])
    assert tree.marker_names == ("nose", "left_knee")
    assert tree.marker_offset_m.shape == (2, 3)


def test_a_models_fixed_markers_are_found(tmp_path):
    path = write_set(
        tmp_path / "m.osim",
        '<Marker name="a"><body>b</body><fixed>true</fixed></Marker>',
        '<Marker name="c"><body>b</body><fixed>false</fixed></Marker>',
        '<Marker name="d"><body>b</body></Marker>',
    )
    path.write_text(f"<OpenSimDocument><Model>{path.read_text()}</Model></OpenSimDocument>")
    assert fixed_markers(path) == {"a"}


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("", "no <Marker> in it"),
        ('<Marker name="a"><location>0 0 0</location></Marker>', "its name or its body is missing"),
        (
            '<Marker name="a"><body>b</body><location>0 0</location></Marker>',
            "2 numbers, expected 3",
        ),
        ('<Marker name="a"><body>b</body><location>0 x 0</location></Marker>', "'x' is no number"),
    ],
)
def test_damaged_sets_are_told(tmp_path, marker, message):
    with pytest.raises(UserError, match=message):
        read_marker_set(write_set(tmp_path / "s.xml", marker))


def test_a_set_of_another_model_is_told(coupled):
    with pytest.raises(
        UserError, match=r"s.xml: marker a is on 'torso', which the model .* not have"
    ):
        with_markers(coupled, [Marker("a", "torso", (0.0, 0.0, 0.0))], "s.xml")
