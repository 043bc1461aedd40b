"""Pictures a CPU-minute against Blender Cycles: the third part of ``render.py``.

The same shots, as pinholes, are drawn by Mitsuba and Open Image Denoise alone, by this renderer,
and by Cycles with its own denoiser, in turns, so that other work on the machine troubles all alike.
CPU seconds are those of the whole process, user and system.

Cycles gets as many samples as its denoised picture needs to be as near to its own reference as ours
is to ours (PSNR of developed pictures), picture by picture, with the denoiser's setting that costs
it least. That is found in a window of the picture about its first person, for references take long.
They have 1,024 samples and are denoised as well: indoors so many still leave more noise than the
pictures have errors.

Cycles has the place already and keeps it (persistent data); ids and depth, which ours makes for
every picture, it is not asked for. While the clock runs neither side touches files, but for the
pictures on the people, which Cycles reads from uncompressed ones. Two times are told: with the
people put there anew, and of what stands there already.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from clock import Clock
from cycles_scene import REFERENCE_SPP, write_shot
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering import Quality, film
from spinetrack_synth.rendering.embedded import EFFORT, Effort, EmbeddedRenderer
from spinetrack_synth.rendering.packing import owners
from spinetrack_synth.shot import Shot

MOST_SPP: Final = 256
DENOISERS: Final = (("HIGH", "ACCURATE"), ("FAST", "FAST"))
"""Quality and prefilter of Cycles' denoiser: Blender's own choice, and its fast one. (Guides that
are not filtered at all cost 3 to 4 dB after few samples.)"""

ROUNDS: Final = 2
TARGET: Final = 5.0
HOW_TO: Final = (
    "Blender Cycles is left out; for it: python3.11 -m venv BPY && BPY/bin/pip install bpy==5.0.1, "
    "then --bpy-python BPY/bin/python"
)

Picture = NDArray[np.uint8]


class Cycles:
    """Blender in a process of its own, which holds one shot.

    Scenes, references and pictures stay in ``folder``, or go when it is left where that is None.
    """

    def __init__(self, python: Path, folder: Path | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        self.folder = folder or Path(self._scratch.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "blender.log"
        self.process = subprocess.Popen(
            [python, Path(__file__).with_name("cycles_draw.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("w"),
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, float]:
        """What the other side answers."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            last = (self.log.read_text().strip().splitlines() or ["it says nothing"])[-1]
            raise SystemExit(f"Blender ended at {request}: {last}")
        answer: dict[str, float] = json.loads(line)
        return answer

    def __enter__(self) -> Cycles:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
        self._scratch.cleanup()


@dataclass(frozen=True)
class Match:
    """As good a picture by Cycles as ours: samples, setting of the denoiser, both PSNRs."""

    spp: int
    denoiser: tuple[str, str]
    cycles_db: float
    ours_db: float


def usable(python: Path) -> str | None:
    """What is wrong with a Python that should have bpy, in one line; None where it serves."""
    if not python.is_file():
        return f"{python}: no such file; it is to be the Python that has bpy"
    try:
        command = [python, "-c", "import bpy; print(bpy.app.version_string)"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{python}: it does not run ({error.strerror}); it is to be a Python that has bpy"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"{python}: it has no bpy that works ({last}); see: {HOW_TO.split('; ')[1]}"
    return None


def plain(shot: Shot) -> Shot:
    """The shot as both renderers can draw it: without lens, film, shutter and photograph."""
    if shot.backdrop is not None:
        raise SystemExit("a picture before a photograph: Cycles is compared in places of ours")
    return replace(shot, camera=shot.camera.pinhole(), further=(), film=None, shutter=None)


def of_different_places(shot_at: Callable[[int], Shot], places: int) -> Iterator[Shot]:
    """The first shots of a dataset in so many places, at most one of 50."""
    seen: set[str] = set()
    for index in range(50):
        shot = shot_at(index)
        if shot.place not in seen:
            seen.add(shot.place)
            yield plain(shot)
        if len(seen) == places:
            return


def psnr_db(one: Picture, other: Picture) -> float:
    """Peak signal to noise ratio of two pictures, dB."""
    error = one.astype(float) - other
    return float(10 * np.log10(255**2 / max(float((error**2).mean()), 1e-12)))


def fewest(db_at: Callable[[int], float], wanted_db: float, most: int) -> tuple[int, float]:
    """Fewest samples that reach a PSNR, to about a tenth, and that PSNR; ``most`` where none do."""
    below, spp, db = 0, 1, db_at(1)
    while db < wanted_db and spp < most:
        below, spp = spp, min(2 * spp, most)
        db = db_at(spp)
    while db >= wanted_db and spp - below > max(1, spp // 10):
        middle = (below + spp) // 2
        here = db_at(middle)
        if here >= wanted_db:
            spp, db = middle, here
        else:
            below = middle
    return spp, db


def window(shot: Shot, size: tuple[int, int]) -> Shot:
    """So many pixels (width, height) of the shot's picture about its first person, as a shot."""
    camera = shot.camera
    middle = np.nanmean(camera.project(shot.people[0].keypoints_world), axis=0)
    whole, cut = np.array([camera.width, camera.height]), np.array(size)
    cut = np.minimum(cut, whole)
    first = np.clip(np.rint(middle - cut / 2), 0, whole - cut)
    K = camera.K.copy()
    K[:2, 2] -= first
    return replace(shot, camera=Camera(K, camera.world2cam, int(cut[0]), int(cut[1])))


def report(
    shots: Iterator[Shot],
    renderer: EmbeddedRenderer,
    quality: Quality,
    draw_bare: Callable[[Shot, Quality, Clock], None],
    blender: Cycles,
    compared: tuple[int, int],
) -> None:
    """Measure and print; PSNRs are of so many pixels (width, height) of each picture."""
    ours, bare, cycles = Clock(), Clock(), Clock()
    for shot in shots:
        both = Both(shot, renderer, EFFORT[quality], blender)
        match = both.match(window(shot, compared))
        both.put_up(shot)
        print(
            f"  {shot.place}/{shot.variant}, {shot.light}, people: {len(shot.people)}: "
            f"ours {EFFORT[quality].spp} samples {match.ours_db:.1f} dB, Cycles "
            f"{match.spp} samples {match.cycles_db:.1f} dB ({match.denoiser[0].lower()} "
            f"denoiser); people in the same pixels {both.same_ids(shot):.2%}",
            flush=True,
        )
        both.save([[both.by_us(shot), both.by_cycles(match.spp, match.denoiser)]], "whole")
        draw_bare(shot, quality, bare)
        for _ in range(ROUNDS):
            take_turns(shot, renderer, quality, blender, match, ours, cycles)
    alone = np.sum([bare.mean(step) for step in bare.spent], axis=0)[1]
    print_rates(alone, ours, cycles)


def take_turns(
    shot: Shot,
    renderer: EmbeddedRenderer,
    quality: Quality,
    blender: Cycles,
    match: Match,
    ours: Clock,
    cycles: Clock,
) -> None:
    """The same picture by both, with the people put there anew and again as it stands."""
    forget_people(renderer, shot)
    shot = replace(shot, people=(*shot.people,))  # what is the same shot is not loaded again
    for step in ("people anew", "again"):
        ours.time(step, lambda: renderer.render(shot, quality=quality))
        anew = step == "people anew"
        told = blender.ask(do="draw", spp=match.spp, denoiser=match.denoiser, exchange=anew)
        cycles.spent[step].append((told["wall"], told["cpu"]))


def forget_people(renderer: EmbeddedRenderer, shot: Shot) -> None:
    """Have the renderer take the people's pictures to the device once more."""
    kept = renderer._stage._world.surfaces._kept
    for person in shot.people:
        for surface in person.surfaces:
            kept.pop(surface.key, None)
            kept.pop(f"{surface.key} normals", None)


class Both:
    """A shot in both renderers, exposed alike; what they draw, developed."""

    def __init__(
        self, shot: Shot, renderer: EmbeddedRenderer, effort: Effort, blender: Cycles
    ) -> None:
        self.renderer, self.effort, self.blender = renderer, effort, blender
        images = self._light(shot, effort.spp)
        clean = film.denoise(*images, effort.denoiser)
        self.gains = shot.exposure * film.meter(clean, images[1], self._ids(shot))

    def put_up(self, shot: Shot) -> None:
        """Have Blender show a shot."""
        # Its light in the film's unit: what Cycles leaves out as too faint or clamps as too bright
        # is measured in it.
        gain = float(self.gains.mean())
        self.scene = write_shot(shot, self.blender.folder, self.effort.depth, gain)
        self.blender.ask(do="stage", shot=str(self.scene))
        self.blender.ask(do="draw", spp=1, exchange=True)  # the people are there

    def match(self, shot: Shot) -> Match:
        """As good a picture by Cycles as ours is."""
        self.put_up(shot)
        picture = self.by_us(shot)
        truth = self._kept("ours", lambda: self.by_us(shot, REFERENCE_SPP, "high"))
        wanted_db = psnr_db(picture, truth)
        theirs = self._kept("cycles", lambda: self.by_cycles(REFERENCE_SPP, DENOISERS[0]))

        def found(denoiser: tuple[str, str]) -> tuple[float, Match]:
            def db_at(spp: int) -> float:
                return psnr_db(self.by_cycles(spp, denoiser), theirs)

            spp, db = fewest(db_at, wanted_db, MOST_SPP)
            told = self.blender.ask(do="draw", spp=spp, denoiser=denoiser, exchange=False)
            return told["cpu"], Match(spp, denoiser, db, wanted_db)

        _, match = min(map(found, DENOISERS), key=lambda one: one[0])
        drawn = self.by_cycles(match.spp, match.denoiser)
        self.save([[picture, truth], [drawn, theirs]], "compared")
        return match

    def by_us(self, shot: Shot, spp: int | None = None, denoiser: str | None = None) -> Picture:
        """Our picture, as the quality has it where nothing else is asked for."""
        images = self._light(shot, spp or self.effort.spp)
        clean = film.denoise(*images, denoiser or self.effort.denoiser)
        return film.develop(clean, self.gains)

    def by_cycles(self, spp: int, denoiser: tuple[str, str]) -> Picture:
        """Cycles' picture of what it shows."""
        file = self.blender.folder / "cycles.exr"
        self.blender.ask(do="draw", spp=spp, denoiser=denoiser, exchange=False, save=str(file))
        return film.develop(channels(file, ("R", "G", "B")), self.gains / self.gains.mean())

    def same_ids(self, shot: Shot) -> float:
        """The part of the pixels whose middle shows the same person, or none, in both."""
        file = self.blender.folder / "ids.exr"
        self.blender.ask(do="ids", save=str(file))
        return float((np.rint(channels(file, (".X",))[..., 0]) == self._ids(shot)).mean())

    def save(self, rows: list[list[Picture]], name: str) -> None:
        """Pictures in rows as one."""
        image = np.concatenate([np.concatenate(row, axis=1) for row in rows])
        Image.fromarray(image).save(self.blender.folder / f"{self.scene.stem}-{name}.png")

    def _light(self, shot: Shot, spp: int) -> tuple[NDArray[np.float32], ...]:
        # Other samples than a reference has.
        stage, depth = self.renderer._staged(shot), self.effort.depth
        return stage.light(shot.camera, spp=spp, depth=depth, seed=spp)

    def _ids(self, shot: Shot) -> NDArray[np.uint8]:
        hits, _ = self.renderer._staged(shot).scan(shot.camera)
        return np.append(owners(shot), np.uint8(0))[hits.surface]

    def _kept(self, name: str, make: Callable[[], Picture]) -> Picture:
        """A reference, from the folder where an earlier run left it."""
        file = self.blender.folder / f"{self.scene.stem}-{name}-{REFERENCE_SPP}.png"
        if not file.exists():
            Image.fromarray(make()).save(file)
        return np.array(Image.open(file))


def channels(file: Path, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Channels (H, W, C) of an EXR by the ends of their names."""
    import mitsuba as mi

    bitmap = mi.Bitmap(str(file))
    there = [field.name for field in bitmap.struct_()]
    columns = [next(k for k, have in enumerate(there) if have.endswith(name)) for name in names]
    image = np.array(bitmap, dtype=np.float32)
    return image.reshape(*image.shape[:2], -1)[..., columns]


def print_rates(alone_s: float, ours: Clock, cycles: Clock) -> None:
    """Pictures a CPU-minute of each, and how many times Cycles' ours are."""
    print("                                  cpu s a picture   pictures a CPU-minute")

    def tell(name: str, seconds: float) -> None:
        print(f"  {name:32s}{seconds:15.2f} {60 / seconds:23.1f}")

    tell("mitsuba + OIDN alone", alone_s)
    for step in ("people anew", "again"):
        tell(f"this renderer, {step}", ours.mean(step)[1])
        tell(f"Cycles, {step}", cycles.mean(step)[1])
    for step in ("people anew", "again"):
        ratio = cycles.mean(step)[1] / ours.mean(step)[1]
        print(f"  this renderer / Cycles, {step}: {ratio:.2f}; target {TARGET:.0f}")
