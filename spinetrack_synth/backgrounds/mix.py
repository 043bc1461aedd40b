"""Which pictures get which background, and how a shot is put before it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.backgrounds import environments, photos
from spinetrack_synth.backgrounds.environments import TURNS, load_panorama
from spinetrack_synth.backgrounds.files import (
    MAP_SUFFIXES,
    PHOTO_SUFFIXES,
    files_in,
    read_map,
    read_photo,
    sha256_of,
)
from spinetrack_synth.backgrounds.ground import LENS_M, ground_surface
from spinetrack_synth.camera import Camera
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.film import undevelop
from spinetrack_synth.scenes.description import Range, Scene
from spinetrack_synth.scenes.lighting import AFTER_SUNSET
from spinetrack_synth.shot import Backdrop, Shot

_STREAM: Final = 0xBAC6
_SUM: Final = 1 + 1e-9
"""Shares that are meant to make one do so by rounding too."""


@dataclass(frozen=True)
class Folder:
    """A folder of backgrounds as it is typed: ``DIR``, or ``DIR:SHARE`` of the pictures."""

    path: Path
    share: float | None

    @classmethod
    def typed(cls, text: str, option: str) -> Folder:
        """Raises UserError where the share is no number above 0 and up to 1."""
        name, colon, number = text.rpartition(":")
        # A folder's own name may hold a colon, and C:\\photos is no share.
        if not colon or "/" in number or "\\" in number or Path(text).is_dir():
            return cls(Path(text), None)
        try:
            share = float(number)
        except ValueError:
            share = math.nan
        if not 0 < share <= 1:
            raise UserError(
                f"{option} {text}: share {number!r} is no number above 0 and up to 1; "
                "write DIR or DIR:0.3"
            )
        return cls(Path(name), share)


@dataclass(frozen=True)
class Backgrounds:
    """The user's photographs and environment maps, and the shares of the pictures that show them.

    ``shares`` by kind, "backgrounds" and "hdri"; the rest of the pictures show the scene's places.
    """

    folders: Mapping[str, Path]
    shares: Mapping[str, float]

    @cached_property
    def files(self) -> Mapping[str, Mapping[str, Path]]:
        """By kind, files by relative name. Raises UserError where a folder has none."""
        return {
            kind: files_in(folder, *_KINDS[kind]) for kind, folder in sorted(self.folders.items())
        }

    def sha256(self) -> dict[str, str]:
        """Checksums by relative name. Raises UserError where a file cannot be read."""
        return {
            name: sha256_of(path) for kind in self.files.values() for name, path in kind.items()
        }

    def check(self) -> None:
        """Read every file through. Raises UserError for the first that is no background."""
        for kind, files in self.files.items():
            for path in files.values():
                read_map(path) if kind == "hdri" else read_photo(path)

    def of(self, seed: int, index: int) -> Background | None:
        """What stands behind picture ``index``, a pure function; None is the scene's place."""
        rng = np.random.default_rng([seed, index, _STREAM])
        drawn = float(rng.random())
        for kind, files in self.files.items():
            if drawn < self.shares[kind]:
                name = list(files)[int(rng.integers(len(files)))]
                turn = int(rng.integers(TURNS))
                return Background(kind, name, files[name], turn, float(rng.random()))
            drawn -= self.shares[kind]
        return None


@dataclass(frozen=True)
class Background:
    """A file of one ``kind``; ``turn`` turns a map about the vertical, ``aside`` moves the part of
    a photograph that is taken."""

    kind: str
    name: str
    path: Path
    turn: int
    aside: float

    def seen_by(self, camera: Camera) -> Backdrop:
        """What a camera sees of an environment map, which looks the same from everywhere."""
        panorama = load_panorama(self.path)
        return Backdrop(
            self.name, environments.view_of(panorama.seen, camera, self.turn), exposed=False
        )

    def behind(self, shot: Shot) -> Shot:
        """The shot with this behind it, in its light. It stands on `ground.open_ground`."""
        if self.kind == "hdri":
            panorama = load_panorama(self.path)
            light, albedo = environments.turned(panorama.light, self.turn), panorama.ground_albedo
            backdrop = self.seen_by(shot.camera)
            exposure = shot.exposure / AFTER_SUNSET.get(shot.light, 1.0)
        else:
            picture = photos.cut(photos.load_photo(self.path), shot.camera, self.aside)
            lit = photos.guess_light(picture, shot.camera)
            light, albedo = lit.environment, lit.ground_albedo
            backdrop = Backdrop(self.name, undevelop(picture), exposed=True)
            exposure = 1.0  # the photograph's own
        return replace(
            shot,
            place="photo" if backdrop.exposed else "environment",
            light="photo" if backdrop.exposed else "environment",
            lights=(light,),
            exposure=exposure,
            surroundings=(ground_surface(albedo), *shot.surroundings[1:]),
            backdrop=backdrop,
        )


_KINDS: Final = {
    "backgrounds": (PHOTO_SUFFIXES, "photographs"),
    "hdri": (MAP_SUFFIXES, "environment maps"),
}


def read_backgrounds(photographs: str | None, maps: str | None) -> Backgrounds | None:
    """The backgrounds of a run as they are typed; None where there are none.

    A kind without a share takes what the other leaves, two without share it. Raises UserError for
    shares that are none, or together more than 1; folders are not looked into here.
    """
    typed = {"backgrounds": photographs, "hdri": maps}
    folders = {
        kind: Folder.typed(text, f"--{kind}") for kind, text in typed.items() if text is not None
    }
    if not folders:
        return None
    said = {kind: folder.share for kind, folder in folders.items() if folder.share is not None}
    left = 1 - sum(said.values())
    open_kinds = [kind for kind, folder in folders.items() if folder.share is None]
    if left < 1 - _SUM or (open_kinds and left <= 0):
        raise UserError(
            f"--backgrounds {photographs} and --hdri {maps}: the shares leave nothing to share; "
            "together they are at most 1"
        )
    shares = said | dict.fromkeys(open_kinds, left / max(len(open_kinds), 1))
    return Backgrounds({kind: folder.path for kind, folder in folders.items()}, shares)


def as_seen_before(scene: Scene) -> Scene:
    """The scene with cameras that a photograph or a panorama can be behind: level in roll, at the
    height of the eye."""
    asked = scene.camera.height_m
    low, high = (float(np.clip(side, *LENS_M)) for side in (asked.low, asked.high))
    camera = replace(scene.camera, height_m=Range(low, high), roll_deg=Range(0.0, 0.0))
    return replace(scene, camera=camera)
