"""One person on every canvas: points, skeleton, mask, fitted body, rings."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.drawing.palette import (
    BOX_COLOR,
    FITTED_COLOR,
    LEFT_COLOR,
    MIDLINE_COLOR,
    OUTLINE,
    RIGHT_COLOR,
    RING_COLOR,
    SPINE_COLOR,
    hexadecimal,
    link_color,
)
from spinetrack_synth.drawing.person import (
    Person,
    draw_person,
    links_between,
    stated_links,
)
from spinetrack_synth.drawing.pixels import OpenCvCanvas, PillowCanvas
from spinetrack_synth.drawing.svg import SvgCanvas, drawing
from spinetrack_synth.skeleton import INDEX, LINKS, NAMES, SPINE

Draw = Callable[[Person, float], np.ndarray]
WHITE = (255, 255, 255)


def figure() -> np.ndarray:
    """All keypoints on a grid, 40 px apart, seen."""
    k = np.arange(37)
    return np.stack([20.0 + 40 * (k % 8), 20.0 + 40 * (k // 8), np.full(37, 2.0)], axis=-1)


def person(keypoints: np.ndarray) -> Person:
    return Person(keypoints[:, :2], keypoints[:, 2], NAMES, LINKS)


def on_pillow(who: Person, stroke: float) -> np.ndarray:
    picture = Image.new("RGB", (340, 220), WHITE)
    draw_person(PillowCanvas(picture), who, stroke)
    return np.asarray(picture)


def on_opencv(who: Person, stroke: float) -> np.ndarray:
    pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
    picture = np.full((220, 340, 3), 255, np.uint8)
    draw_person(OpenCvCanvas(picture), who, stroke)
    return picture[..., ::-1]


@pytest.fixture(params=[on_pillow, on_opencv])
def draw(request: pytest.FixtureRequest) -> Draw:
    return request.param


def drawn(keypoints: np.ndarray) -> np.ndarray:
    return on_pillow(person(keypoints), 4)


def pixel(picture: np.ndarray, keypoints: np.ndarray, name: str) -> tuple[int, ...]:
    x, y = keypoints[INDEX[name], :2].astype(int)
    return tuple(int(value) for value in picture[y, x])


@pytest.mark.parametrize(
    ("name", "color"),
    [("spine_03", SPINE_COLOR), ("neck_02", SPINE_COLOR), ("left_knee", LEFT_COLOR),
     ("right_wrist", RIGHT_COLOR)],
)  # fmt: skip
def test_points_have_the_colour_of_their_part(name: str, color: tuple) -> None:
    keypoints = figure()
    assert pixel(drawn(keypoints), keypoints, name) == color


def test_hidden_points_are_hollow() -> None:
    keypoints = figure()
    keypoints[INDEX["spine_03"], 2] = 1
    assert pixel(drawn(keypoints), keypoints, "spine_03") == OUTLINE


def test_points_outside_the_picture_leave_no_mark() -> None:
    keypoints = figure()
    keypoints[:, 2] = 0
    keypoints[:, :2] = 100
    assert (drawn(keypoints) == 255).all()


def spread_out() -> Person:
    """Two points of a limb and nothing else, far apart."""
    points = np.full((37, 2), np.nan)
    points[[INDEX["left_hip"], INDEX["left_knee"]]] = (40, 40), (300, 180)
    return Person(points, np.full(37, 2), NAMES, LINKS)


def test_a_ring_surrounds_the_point_that_is_meant(draw: Draw) -> None:
    who = replace(spread_out(), ringed=[INDEX["left_hip"], INDEX["nose"]])
    picture = draw(who, 4)
    places = np.argwhere((picture == RING_COLOR).all(axis=2))
    distance = np.hypot(*(places - [40, 40]).T)
    assert len(places) > 40 and distance.min() > 8 and distance.max() < 18
    assert tuple(picture[40, 40]) == LEFT_COLOR


def test_a_fitted_body_and_a_box_are_dashed(draw: Draw) -> None:
    who = replace(
        spread_out(), links=(), fitted=np.full((37, 2), np.nan), box=np.array([10.0, 20, 320, 180])
    )
    who.fitted[[INDEX["spine_01"], INDEX["spine_02"]]] = (50, 110), (290, 110)
    row = (draw(replace(who, links=LINKS), 5)[110, 60:280] == FITTED_COLOR).all(axis=1)
    assert 0.3 < row.mean() < 0.8 and np.count_nonzero(np.diff(row)) > 10
    edge = (draw(who, 5)[20, 20:320] == BOX_COLOR).all(axis=1)
    assert 0.3 < edge.mean() < 0.8 and np.count_nonzero(np.diff(edge)) > 10


def test_a_mask_is_a_veil_below_the_skeleton(draw: Draw) -> None:
    mask = np.zeros((220, 340), bool)
    mask[30:60, 20:90] = True
    picture = draw(replace(spread_out(), mask=mask), 4)
    veil = picture[35, 85]
    assert tuple(veil) != WHITE and (picture[31:33, 25:85] == veil).all()
    assert tuple(picture[29, 85]) == WHITE
    assert tuple(picture[40, 40]) == LEFT_COLOR


def test_a_mask_of_another_size_does_no_harm(draw: Draw) -> None:
    assert draw(replace(spread_out(), mask=np.ones((900, 20), bool)), 4).shape == (220, 340, 3)


def on_page(who: Person) -> ElementTree.Element:
    canvas = SvgCanvas()
    draw_person(canvas, who, 4)
    return ElementTree.fromstring(drawing((0, 0, 340, 220), canvas.parts, "a <person> & more"))


def test_svg_has_what_pictures_have() -> None:
    keypoints = figure()
    keypoints[INDEX["spine_03"], 2], keypoints[INDEX["nose"], 2] = 1, 0
    mask = np.zeros((220, 340), bool)
    mask[30:60, 20:90] = True
    svg = on_page(replace(person(keypoints), mask=mask, ringed=[INDEX["left_hip"]]))
    circles = svg.findall("circle")
    assert len(circles) == 2 * 36 + 1
    assert circles[-1].attrib["stroke"] == hexadecimal(RING_COLOR)
    hollow = [
        c for c in circles if c.attrib["fill"] == hexadecimal(OUTLINE) and "stroke" in c.attrib
    ]
    assert [c.attrib["stroke"] for c in hollow] == [hexadecimal(SPINE_COLOR)]
    lines = [link for link in LINKS if INDEX["nose"] not in link]
    assert len(svg.findall("line")) == 2 * len(lines)
    image = svg.find("image")
    assert [image.attrib[name] for name in ("x", "y", "width", "height")] == [
        "20",
        "30",
        "70",
        "30",
    ]
    with Image.open(io.BytesIO(base64.b64decode(image.attrib["href"].partition(",")[2]))) as veil:
        assert veil.size == (70, 30)
    assert svg.attrib["aria-label"] == "a <person> & more"


def test_numbers_of_svg_are_short() -> None:
    canvas = SvgCanvas()
    canvas.line(np.array([1 / 3, -1e-9]), np.array([2.0, 3.5]), OUTLINE, 1.25)
    assert re.findall(r'[xy][12]="(.*?)"', canvas.parts[0]) == ["0.33", "0", "2", "3.5"]


@pytest.mark.parametrize("count", [17, 26, 37])
def test_every_skeleton_has_a_trunk(count: int) -> None:
    names = NAMES[:count]
    pairs = {frozenset((names[a], names[b])) for a, b in links_between(names)}
    assert frozenset(("left_hip", "left_knee")) in pairs
    assert (frozenset(("left_hip", "right_hip")) in pairs) == (count == 17)
    assert (frozenset(("hip", "neck")) in pairs) == (count == 26)
    assert (pairs == {frozenset((NAMES[a], NAMES[b])) for a, b in LINKS}) == (count == 37)


def test_skeletons_in_another_order_have_the_same_lines() -> None:
    names = NAMES[::-1]
    pairs = {frozenset((names[a], names[b])) for a, b in links_between(names)}
    assert pairs == {frozenset((NAMES[a], NAMES[b])) for a, b in LINKS}


def test_lines_from_side_to_side_are_the_midlines() -> None:
    assert link_color("left_shoulder", "right_shoulder") == MIDLINE_COLOR
    assert link_color("hip", "left_hip") == link_color("left_hip", "hip") == LEFT_COLOR
    assert {link_color(NAMES[a], NAMES[b]) for a, b in zip(SPINE, SPINE[1:])} == {SPINE_COLOR}
    assert link_color("neck_03", "head") == MIDLINE_COLOR


def test_stated_lines_are_taken_as_far_as_they_can_be_used() -> None:
    stated = [[1, 2], [2, 9], [0, 1], ["1", 2], [1, 2, 3], None, [True, 2]]
    assert stated_links(stated, 3) == [(0, 1)]
    assert stated_links(None, 3) == stated_links("no", 3) == []
