"""What travels between the rooms: surfaces, lights, posed people, a shot, and its frame.

Only frozen data lives here. World = OpenSim ground: metres, X forward, Y up, Z right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera


@dataclass(frozen=True)
class Material:
    """How a surface looks.

    ``base_color`` is sRGB: an image (H, W, 3) uint8 addressed by the surface's uv (v up, so row 0
    of the image is v = 1; beyond 0..1 it repeats), or one colour (3,) in 0..1. ``roughness`` and
    ``specular`` as in the principled BSDF. ``opacity`` is an optional mask (H, W) uint8 addressed
    like the image. ``normals`` is an optional map (H, W, 3) uint8 of wrinkles and the like: 0..255
    are -1..1 along growing u, along growing v and outward, as in glTF.
    """

    base_color: NDArray[np.uint8] | tuple[float, float, float]
    roughness: float = 0.6
    specular: float = 0.3
    opacity: NDArray[np.uint8] | None = None
    normals: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Surface:
    """A triangle mesh in the world with one material.

    ``key`` names topology, uv and material: two surfaces with the same key differ at most in
    ``vertices_world`` (V, 3) m and ``normals_world`` (V, 3), so a renderer may cache the rest.
    ``faces`` (F, 3), ``uv`` (V, 2). ``normals_world`` None asks for flat shading. ``parts``
    (V, 17) is how much of each part of the body (`anatomy.parts.PARTS`) a vertex is, 0 to 255; None
    for things.
    """

    key: str
    vertices_world: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    material: Material
    normals_world: NDArray[np.float32] | None = None
    parts: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Sun:
    """Clear sky with a sun. ``direction_world`` (3,) points to the sun; ``turbidity`` 2..8.

    ``sun_scale`` and ``sky_scale`` multiply the two parts.
    """

    direction_world: tuple[float, float, float]
    turbidity: float = 3.0
    sun_scale: float = 1.0
    sky_scale: float = 1.0


@dataclass(frozen=True)
class AreaLight:
    """A one-sided glowing rectangle: centre and half axes u and v (3,) m; it shines along u x v."""

    center_world: tuple[float, float, float]
    half_u_world: tuple[float, float, float]
    half_v_world: tuple[float, float, float]
    radiance: tuple[float, float, float]


@dataclass(frozen=True)
class Ambient:
    """Uniform light from all sides: linear RGB radiance."""

    radiance: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Environment:
    """Light from all around, measured or guessed: a map without its sun, and the sun.

    ``radiance`` (H, 2 H, 3) linear RGB, laid out as `rendering.lights` says, the lower half too;
    ``sun_direction_world`` (3,) points to the sun, ``sun_irradiance`` (3,) is what its disc gives a
    plane that faces it, zero where there is none.
    """

    radiance: NDArray[np.float32]
    sun_direction_world: tuple[float, float, float] = (0.0, 1.0, 0.0)
    sun_irradiance: tuple[float, float, float] = (0.0, 0.0, 0.0)


Light = Sun | AreaLight | Ambient | Environment


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A photograph, of the picture's size, that people and things are drawn onto.

    ``radiance`` (H, W, 3) linear RGB. ``name`` is the file's. ``exposed``: the values are those
    of the film already, so nothing is left to meter; else they are in the unit of the lights. The
    first of the shot's surroundings is the ground: not seen, but its shadows fall on the backdrop.
    """

    name: str
    radiance: NDArray[np.float32]
    exposed: bool


@dataclass(frozen=True)
class Physique:
    """What is known of a person's body whatever the pose.

    ``bmi`` kg/m2 of the skin's volume at 1010 kg/m3 and the stature; ``spine_condition`` normal or
    what it is; ``cobb_deg``, ``apex_level``, ``curve_side`` of the largest lateral curve in
    standing, 0 and "" where there is none; ``curve_offset_m`` how far a vertebra lies at most from
    where a normal spine has it.
    """

    age_years: float
    sex: str
    stature_m: float
    bmi: float
    spine_condition: str = "normal"
    cobb_deg: float = 0.0
    apex_level: str = ""
    curve_side: str = ""
    curve_offset_m: float = 0.0


@dataclass(frozen=True)
class Face:
    """How a head looks, in words.

    ``hair``, ``beard`` and ``glasses`` are the person's; ``headwear``, ``expression`` and ``gaze``,
    what the eyes look at, the picture's. "" where there is none.
    """

    hair: str = ""
    beard: str = ""
    glasses: str = ""
    headwear: str = ""
    expression: str = "neutral"
    gaze: str = "ahead"


@dataclass(frozen=True)
class PosedPerson:
    """A person as it stands in the world.

    ``keypoints_world`` (37, 3) m; ``coordinates`` the model's coordinate values (n,) in rad and m,
    in the order of its tree; ``body2world`` (B, 4, 4); ``scale_factors`` (B, 3);
    ``fingers_rad`` (2, 5, 3) bends of the knuckles of the right and the left hand, None at rest;
    ``skin_world`` (V, 3) m the closed skin without clothes and ``skin_body`` (V,) the index of the
    OpenSim body each of its vertices moves with most; ``surfaces`` what is drawn; ``clothes`` names
    the garments from the skin outward, commas between them; ``outfit`` the number of the clothes
    and ``style`` their style, with which the same look can be made again; ``physique`` None where
    nothing is known of it; ``assets`` the user's files that are worn; ``face`` None where none is
    drawn.
    """

    subject_id: str
    pose: str
    coordinates: NDArray[np.float64]
    scale_factors: NDArray[np.float64]
    body2world: NDArray[np.float64]
    keypoints_world: NDArray[np.float64]
    skin_world: NDArray[np.float32]
    skin_body: NDArray[np.int32]
    surfaces: tuple[Surface, ...]
    fingers_rad: NDArray[np.float64] | None = None
    clothes: str = ""
    style: str = ""
    outfit: int = 0
    physique: Physique | None = None
    assets: tuple[str, ...] = ()
    face: Face | None = None


@dataclass(frozen=True)
class Thing:
    """A movable thing by the name of its asset: a mat, what lies beside one, what somebody sits on
    or holds.

    The asset stands around the origin; it is scaled along its own axes (3,), turned by ``roll_rad``
    about X, ``pitch_rad`` about Z and ``yaw_rad`` about Y, in this order, and set down at
    ``position_world`` (3,) m.
    """

    asset: str
    position_world: tuple[float, float, float]
    yaw_rad: float
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pitch_rad: float = 0.0
    roll_rad: float = 0.0


@dataclass(frozen=True)
class Capture:
    """Which of several pictures of the same people a shot is.

    Pictures of one ``moment`` (a number, unique in the split) differ in the camera alone; ``view``
    numbers the cameras. ``track`` numbers what one person is followed through: the moment, or the
    sequence. Of a sequence: its name, the ``frame`` from 0 on, the time since the first one, and
    how the camera moves.
    """

    moment: int
    view: int
    track: int
    sequence: str | None = None
    frame: int | None = None
    time_s: float | None = None
    camera_motion: str | None = None


@dataclass(frozen=True)
class Film:
    """What lens, sensor and file do to the light beside bending it.

    ``iso`` the sensitivity, of which noise follows, 0 for none; ``temperature_stops`` red against
    blue, above 0 too warm, and ``tint_stops`` green against both, above 0 too green: errors of the
    white balance; ``vignetting_stops`` the light lost in the corners; ``jpeg_quality`` of the file
    where it is a JPEG (1 to 95, as libjpeg counts).
    """

    iso: float = 0.0
    temperature_stops: float = 0.0
    tint_stops: float = 0.0
    vignetting_stops: float = 0.0
    jpeg_quality: int = 92


@dataclass(frozen=True, eq=False)
class Shutter:
    """How everything has moved when the shutter closes. The shot itself is the middle of the time
    ``open_s``; until then all moved the same way.

    ``bodies`` are (B, 4, 4) frames of each person's bodies then, None for who stands still;
    ``camera`` is the shot's and ``further`` are its further ones then.
    """

    open_s: float
    bodies: tuple[NDArray[np.float64] | None, ...]
    camera: Camera
    further: tuple[Camera, ...] = ()


@dataclass(frozen=True)
class Shot:
    """Everything one picture shows: a pure function of (configuration, seed, index).

    ``exposure`` multiplies the automatic exposure. ``place`` and its ``variant`` name the
    surroundings, ``light`` what lights them (daylight, evening, sun, overcast).
    ``surroundings`` are all surfaces beside the people's; those of the ``things`` are among
    them, for a renderer that knows assets the things are listed too. ``further`` are more cameras
    that see the same moment; ``capture`` None is a picture that stands alone. ``film`` None takes
    the light as it is. With a ``backdrop`` people and things stand before a photograph. With a
    ``shutter`` the picture shows movement, else one moment.
    """

    index: int
    seed: int
    scene: str
    place: str
    camera: Camera
    people: tuple[PosedPerson, ...]
    surroundings: tuple[Surface, ...]
    lights: tuple[Light, ...]
    exposure: float = 1.0
    things: tuple[Thing, ...] = ()
    variant: int = 0
    light: str = ""
    backdrop: Backdrop | None = None
    further: tuple[Camera, ...] = ()
    capture: Capture | None = None
    film: Film | None = None
    shutter: Shutter | None = None


@dataclass(frozen=True)
class Hits:
    """What the middle of each pixel shows: ``surface`` (H, W), counted through the surroundings and
    then each person's, lamps last, -1 for nothing; ``face`` (H, W) of that surface."""

    surface: NDArray[np.int32]
    face: NDArray[np.int32]


@dataclass(frozen=True)
class Frame:
    """What a renderer makes of a shot, all (height, width).

    ``rgb`` (H, W, 3) uint8 sRGB; ``ids`` (H, W) uint8, 0 for the surroundings and k for
    ``shot.people[k - 1]``; ``depth_m`` (H, W) float32 along the optical axis, inf where nothing is.
    ``ids`` and ``depth_m`` are sampled exactly at pixel centres. ``people`` are the shot's as they
    were drawn, where the renderer reads them back; None where they are drawn as they stand in the
    shot by construction. ``camera`` is the one that was drawn with, where the renderer lacks the
    shot's lens. Labels are of the people that were drawn, by the camera that drew. ``hits`` None
    where the renderer does not tell surfaces. ``shutter_s`` is how long the shutter of the picture
    was open, 0 where it shows one moment.
    """

    rgb: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    people: tuple[PosedPerson, ...] | None = None
    camera: Camera | None = None
    hits: Hits | None = None
    shutter_s: float = 0.0
