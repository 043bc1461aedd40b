"""The server as a whole: a level, the commands on it, and the sockets they come through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import Quality, open_renderer
from spinetrack_synth.rendering.server.commands.cameras import LARGEST_SIDE_PX
from spinetrack_synth.rendering.server.commands.table import CommandTable
from spinetrack_synth.rendering.server.folder import Folder
from spinetrack_synth.rendering.server.level import Lens, Level, Placement
from spinetrack_synth.rendering.server.listening import Doors, listen
from spinetrack_synth.rendering.server.view_renderer import Renderer, ViewRenderer
from spinetrack_synth.rendering.unreal.axes import camera_to_unreal
from spinetrack_synth.scenes import load_props, load_scene, make_shot
from spinetrack_synth.shot import Shot, Surface

if TYPE_CHECKING:
    from spinetrack_synth.rendering.embedded import EmbeddedRenderer

GREETING: Final = "spinetrack_synth"

OwnThings = Mapping[str, tuple[Surface, ...]]


def opening(scene: str | None, seed: int, size: tuple[int, int]) -> Level:
    """The level to begin with: the first shot of a scene and a seed, or an empty one.

    Raises UserError for a size or a scene that cannot be.
    """
    if not all(1 <= side <= LARGEST_SIDE_PX for side in size):
        raise UserError(
            f"--size {size[0]}x{size[1]}: each side may have 1-{LARGEST_SIDE_PX} pixels"
        )
    if scene is None:
        return Level(cameras=(Lens(size=size),))
    described = load_scene(scene)
    props = load_props(described.props)
    shot = make_shot(described, seed, 0, Cast(seed), size, props=props)
    return level_of(shot, {prop.thing.asset: prop.unit for prop in props})


def level_of(
    shot: Shot, own_things: Mapping[str, tuple[Surface, ...]] = MappingProxyType({})
) -> Level:
    """A level in which a shot stands, with its things from files by asset; camera 0 sees it."""
    camera = camera_to_unreal(shot.camera)
    x, y, z = camera.location.tolist()
    pitch, yaw, roll = camera.rotator_deg.tolist()
    lens = Lens(
        location=(x, y, z),
        rotator_deg=(pitch, yaw, roll),
        fov_deg=camera.fov_deg,
        size=(camera.width, camera.height),
    )
    level = Level(
        cameras=(lens,), lights=shot.lights, exposure=shot.exposure, own_things=own_things
    )
    level = level.with_place(shot.place, shot.variant).with_things(shot.things)
    for person in shot.people:
        name = person.subject_id
        level = level.spawned("avatar", person.subject_id, name, Placement())
        avatar = level.avatar(name).posed(person.body2world).holding(person.fingers_rad)
        level = level.with_actor(avatar)
    return level


def open_embedded() -> EmbeddedRenderer:
    """The embedded renderer. Raises UserError where it cannot work."""
    renderer = open_renderer("embedded")
    from spinetrack_synth.rendering.embedded import EmbeddedRenderer

    assert isinstance(renderer, EmbeddedRenderer)
    return renderer


def serve(
    doors: Doors,
    level: Level,
    renderer: Renderer,
    *,
    quality: Quality,
    folder: Folder,
    ready: Callable[[], None],
) -> None:
    """Answer clients until something raises; ``ready`` is called when they may come.

    Pictures that clients save go below ``folder``. Raises UserError where the port is taken.
    """
    table = CommandTable(level, ViewRenderer(renderer, quality), doors.port, folder)
    table.warm_up()
    doors.open()
    ready()
    listen(doors, GREETING, table.dispatcher.answer)
