"""Where the shots of a dataset come from: a picture's shot by its index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.camera import Camera
from spinetrack_synth.dataset.config import EXPORTED, DatasetConfig
from spinetrack_synth.dataset.state import motion_weights
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Backdrop, Capture, Shot

if TYPE_CHECKING:
    from spinetrack_synth.motion.performance import Performance
    from spinetrack_synth.scenes.clips import Clip

ShotAt = Callable[[int], Shot]

MOMENTS_KEPT: Final = 4
"""Moments whose people stay posed for the next view, for as many engines that draw at once."""
CLIPS_KEPT: Final = 2


# Long by its two calls with ten arguments each.
def scene_source(config: DatasetConfig) -> ShotAt:
    """The shots of the configured scenes, a pure function of settings, seed and index.

    Shots of one moment share people, surroundings and lights, the same objects. Raises UserError,
    before any shot, where one of the scenes is not sound or has no pictures of so many people, and
    where a scene's motions are all shorter than a sequence.
    """
    from spinetrack_synth.avatars.cast import Cast
    from spinetrack_synth.backgrounds import as_seen_before, open_ground, read_backgrounds
    from spinetrack_synth.community import read_folder
    from spinetrack_synth.motion.performance import load_performances
    from spinetrack_synth.scenes import load_props, make_clip, make_shot, people_counts, read_mix

    mix = read_mix(config.scene)
    for scene in mix.scenes.values():
        people_counts(scene, config.subjects)
    props = {name: load_props(scene.props) for name, scene in mix.scenes.items()}
    motions = motion_weights(config)
    performed = dict(zip(motions, load_performances(fullbody(), motions), strict=True))
    performances = {
        name: tuple(performed[path] for path in config.motions or scene.motions)
        for name, scene in mix.scenes.items()
    }
    if config.backend == "unreal":  # an engine has people as they were exported, in outfit 0
        cast = Cast(config.seed, config.people or EXPORTED, changing=False)
    else:
        worn = read_folder(config.assets) if config.assets else None
        cast = Cast(config.seed, config.people, worn=worn)
    backgrounds = read_backgrounds(config.backgrounds, config.hdri)
    if backgrounds is not None:
        backgrounds.check()
    times_s = np.arange(config.sequence) / config.fps

    def moment_at(index: int) -> Shot:
        name = mix.pick(config.seed, index)
        background = backgrounds and backgrounds.of(config.seed, index)
        shot = make_shot(
            as_seen_before(mix.scenes[name]) if background else mix.scenes[name],
            config.seed,
            index,
            cast,
            config.size,
            config.subjects,
            performances[name],
            props[name],
            config.views,
            here=open_ground() if background else None,
        )
        return background.behind(shot) if background else shot

    def clip_at(number: int) -> Clip:
        name = mix.pick(config.seed, number)
        return make_clip(
            mix.scenes[name],
            config.seed,
            number,
            cast,
            config.size,
            config.subjects,
            times_s,
            performances[name],
            props[name],
            config.views,
        )

    if config.sequence > 1:
        _check_lengths(performances.values(), float(times_s[-1]))
        return frame_by_frame(clip_at, config)
    if config.views == 1:
        return moment_at

    def backdrop_of(moment: int, camera: Camera) -> Backdrop | None:
        background = backgrounds and backgrounds.of(config.seed, moment)
        return background.seen_by(camera) if background else None

    return view_by_view(moment_at, config.views, backdrop_of)


def view_by_view(
    moment_at: ShotAt,
    views: int,
    backdrop_of: Callable[[int, Camera], Backdrop | None] = lambda moment, camera: None,
) -> ShotAt:
    """The pictures of moments, one a camera, moment after moment, each with its own backdrop."""
    kept = lru_cache(maxsize=MOMENTS_KEPT)(moment_at)

    def shot_at(index: int) -> Shot:
        moment, view = divmod(index, views)
        shot = kept(moment)
        camera = (shot.camera, *shot.further)[view]
        shutter = shot.shutter
        if shutter is not None:
            shutter = replace(shutter, camera=(shutter.camera, *shutter.further)[view])
        return replace(
            shot,
            index=index,
            camera=camera,
            shutter=shutter,
            capture=Capture(moment, view, track=moment),
            # The first camera's was cut with the moment.
            backdrop=backdrop_of(moment, camera) if view and shot.backdrop else shot.backdrop,
        )

    return shot_at


def frame_by_frame(clip_at: Callable[[int], Clip], config: DatasetConfig) -> ShotAt:
    """The pictures of clips: clip after clip, of each frame after frame, of each view after view.

    A clip is made once for all its frames, which whoever starts in the middle makes the same.
    """
    kept = lru_cache(maxsize=CLIPS_KEPT)(clip_at)

    def moment_at(index: int) -> Shot:
        number, frame = divmod(index, config.sequence)
        return kept(number).moment(frame)

    alone = view_by_view(moment_at, config.views)

    def shot_at(index: int) -> Shot:
        moment, view = divmod(index, config.views)
        number, frame = divmod(moment, config.sequence)
        capture = Capture(
            moment,
            view,
            track=number,
            sequence=f"s{config.seed}-{number:06d}",  # unique among the splits of a release
            frame=frame,
            time_s=round(frame / config.fps, 6),
            camera_motion=kept(number).motions[view],
        )
        return replace(alone(index), capture=capture)

    return shot_at


def _check_lengths(performances: Iterable[tuple[Performance, ...]], length_s: float) -> None:
    """Raises UserError where nobody could perform for so long."""
    for motions in performances:
        lasting = {p.name: float(p.times_s[-1] - p.times_s[0]) for p in motions}
        if lasting and max(lasting.values()) < length_s:
            longest = max(lasting, key=lambda name: lasting[name])
            raise UserError(
                f"sequence: lasts {length_s:.2f} s and no motion does, the longest, {longest!r}, "
                f"{lasting[longest]:.2f} s; give fewer frames, a higher --fps or a longer --motion"
            )
