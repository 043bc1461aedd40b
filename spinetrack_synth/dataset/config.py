"""What a dataset is made of: the settings that, with an index, determine every shot."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from spinetrack_synth.errors import UserError

QUALITIES: Final = ("draft", "normal", "final")
FORMATS: Final = ("jpg", "png")
MAPS: Final = ("parts", "depth", "normals")
MIN_SIDE_PX: Final = 32
MAX_SIDE_PX: Final = 8192
MOST_VIEWS: Final = 16
LONGEST_FRAMES: Final = 10_000
LONGEST_S: Final = 120.0
FPS: Final = (1.0, 240.0)
EXPORTED: Final = 24
"""People that ``avatars export`` writes, and that an engine is taken to have, where nothing else is
said."""


@dataclass(frozen=True)
class DatasetConfig:
    """Settings of one split. Raises UserError where one of them makes no sense.

    ``scene`` scenes by name or by the path of a TOML file, with weights (``yoga,my.toml:2``, or
    ``all``); ``size`` (width, height) in pixels;
    ``subjects`` fewest and most people in a picture; ``motions`` motion files that
    people perform in place of the scene's poses; ``views`` cameras of every moment;
    ``sequence`` frames of a clip, ``fps`` of them a second, 1 for pictures that stand alone.
    ``backgrounds`` and ``hdri`` folders of photographs and of environment maps that stand in for
    the scene's places, ``DIR`` or ``DIR:SHARE`` of the pictures. ``assets`` folder of MakeHuman
    assets, ``DIR`` or ``DIR:SHARE`` of the people who wear some.
    ``people`` how many different people there are in all pictures, None: a new one every few
    pictures. ``count`` counts pictures, those of all views and frames. ``maps`` are label maps that
    are written beside every picture.
    """

    scene: str
    count: int
    seed: int = 0
    split: str = "train"
    size: tuple[int, int] = (640, 480)
    quality: str = "normal"
    subjects: tuple[int, int] = (1, 3)
    backend: str = "embedded"
    format: str = "jpg"
    motions: tuple[str, ...] = ()
    backgrounds: str | None = None
    hdri: str | None = None
    views: int = 1
    sequence: int = 1
    fps: float = 30.0
    people: int | None = None
    assets: str | None = None
    maps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"count {self.count}: a dataset has at least one picture")
        if self.seed < 0:
            raise UserError(f"seed {self.seed}: seeds are whole numbers from 0 up")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.split):
            raise UserError(f"split {self.split!r}: use letters, digits, '.', '_' and '-'")
        if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in self.size):
            raise UserError(
                f"size {self.size[0]}x{self.size[1]}: sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} "
                "pixels are possible"
            )
        if not 1 <= self.subjects[0] <= self.subjects[1]:
            raise UserError(
                f"subjects {self.subjects[0]}-{self.subjects[1]}: "
                "give the fewest and the most people, at least one"
            )
        if self.people is not None and self.people < self.subjects[0]:
            raise UserError(
                f"people {self.people}: pictures of {self.subjects[0]} or more need as many"
            )
        if not 1 <= self.views <= MOST_VIEWS:
            raise UserError(
                f"views {self.views}: 1 to {MOST_VIEWS} cameras of a moment are possible"
            )
        if not 1 <= self.sequence <= LONGEST_FRAMES:
            raise UserError(
                f"sequence {self.sequence}: clips of 2 to {LONGEST_FRAMES} frames are possible"
            )
        if not FPS[0] <= self.fps <= FPS[1]:
            raise UserError(
                f"fps {self.fps:g}: {FPS[0]:g} to {FPS[1]:g} frames a second are possible"
            )
        if (length_s := (self.sequence - 1) / self.fps) > LONGEST_S:
            raise UserError(
                f"sequence {self.sequence}: lasts {length_s:.0f} s at {self.fps:g} frames a "
                f"second; clips of up to {LONGEST_S:.0f} s are possible"
            )
        for name, known in (("quality", QUALITIES), ("format", FORMATS)):
            if getattr(self, name) not in known:
                raise UserError(f"{name} {getattr(self, name)!r}: choose {', '.join(known)}")
        if self.backend != "embedded" and (self.backgrounds or self.hdri):
            raise UserError(
                f"--backend {self.backend} draws its own places; --backgrounds and --hdri go with "
                "--backend embedded"
            )
        for number, name in enumerate(self.maps):
            if name not in MAPS or name in self.maps[:number]:
                raise UserError(
                    f"maps {','.join(self.maps)!r}: choose from {', '.join(MAPS)}, or all"
                )
        if self.backend != "embedded" and self.maps:
            raise UserError(
                f"--backend {self.backend} tells people and depth alone; --maps goes with "
                "--backend embedded"
            )
        if self.backend != "embedded" and self.assets:
            raise UserError(
                f"--backend {self.backend} draws people as they were exported; --assets goes with "
                "--backend embedded"
            )
        if self.backgrounds and self.views > 1:
            raise UserError(
                "--backgrounds: a photograph has one view of its place; leave out --views, or give "
                "environment maps with --hdri"
            )
        if self.sequence > 1 and (self.backgrounds or self.hdri):
            raise UserError(
                "--sequence: a camera that moves would slide over a photograph or a map; leave out "
                "--backgrounds and --hdri"
            )

    def as_json(self) -> dict[str, Any]:
        """The settings as they stand in a manifest, the split's name left out (it is the key)."""
        settings = asdict(self) | {"size": list(self.size), "subjects": list(self.subjects)}
        del settings["split"]
        if self.motions:
            settings["motions"] = list(self.motions)
        else:
            del settings["motions"]
        # Folders go by what they hold, which the description tells.
        del settings["backgrounds"], settings["hdri"], settings["assets"]
        if self.views == 1:
            del settings["views"]
        if self.sequence == 1:
            del settings["sequence"], settings["fps"]
        if self.people is None:
            del settings["people"]
        if self.maps:
            settings["maps"] = ",".join(name for name in MAPS if name in self.maps)
        else:
            del settings["maps"]
        return settings
