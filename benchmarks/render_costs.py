"""What pictures cost against one another, and the targets: the second half of ``render.py``.

A picture is posing and dressing of its people, drawing, labels and the JPEG; its place and its
undressed people are there, as they are in the middle of a run. Kinds of pictures take turns, so
that other work on the machine troubles all of them alike. All ratios are of means.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from clock import Clock

from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.avatars.paintings import painted
from spinetrack_synth.dataset.records import encode_image, record_shot
from spinetrack_synth.labels import annotate
from spinetrack_synth.rendering import Quality
from spinetrack_synth.rendering.embedded import EmbeddedRenderer
from spinetrack_synth.scenes import load_scene, make_shot, scene_names
from spinetrack_synth.scenes.places import PLACES
from spinetrack_synth.shot import Shot

DRAFT_SIZE: Final = (256, 256)
SIZE: Final = (640, 480)
SUBJECTS: Final = (1, 3)

SCENE_TARGET: Final = 1.3
VIEW_TARGET: Final = 0.5
DRAFT_TARGET: Final = 1 / 6
PERSON_TARGET_S: Final = 0.3
PERSON_TEXEL_M: Final = 0.004
"""Somebody 1.7 m tall and 340 of the 480 pixels high: a texel is 0.8 of a pixel."""
PLACE_TARGET_S: Final = 0.6
COLD_TARGET: Final = 1.3


def measure_pictures(
    names: Iterable[str], seed: int, rounds: int, renderer: EmbeddedRenderer
) -> Clock:
    """Pictures of every scene, of yoga's draft and of yoga's second view, in turns."""
    scenes = {name: load_scene(name) for name in ("yoga", *names)}
    casts = {name: Cast(seed) for name in scenes}
    clock = Clock()

    def picture(name: str, index: int, size: tuple[int, int], quality: Quality, step: str) -> Shot:
        def make(cast: Cast) -> Shot:
            views = 2 if name == "yoga" else 1
            return make_shot(scenes[name], seed, index, cast, size, SUBJECTS, views=views)

        first = make(casts[name])
        renderer.scan(first)  # the textures of the place are on the device now
        dressed_anew = _Redressing(casts[name])

        def whole() -> Shot:
            shot = make(dressed_anew)
            finish(shot, renderer, quality)
            return shot

        return clock.time(step, whole)

    for index in range(-1, rounds):  # the first round compiles kernels
        for name in scenes:
            shot = picture(name, max(index, 0), SIZE, Quality.NORMAL, name)
            if name == "yoga":
                view = replace(shot, camera=shot.further[0])
                clock.time("view", lambda v=view: finish(v, renderer, Quality.NORMAL))
                picture(name, max(index, 0), DRAFT_SIZE, Quality.DRAFT, "draft")
        if index < 0:
            clock.spent.clear()
    return clock


class _Redressing(Cast):
    """The people of another cast, undressed: they put on their clothes once more."""

    def __init__(self, cast: Cast) -> None:
        super().__init__(cast.seed, cast.people, cast.changing)
        self._made = cast._made


def finish(shot: Shot, renderer: EmbeddedRenderer, quality: Quality) -> None:
    """Everything that happens to a shot until it could be written."""
    frame = renderer.render(shot, quality=quality)
    record_shot(shot, annotate(shot, frame), "a.jpg")
    encode_image(frame.rgb, "jpg", shot.film)


def measure_people(seed: int, count: int) -> Clock:
    """New people, dressed, and painted as a picture of that size mostly shows them."""
    clock, cast = Clock(), Cast(seed + 1)

    def make(k: int) -> None:
        for part in cast.avatar(k, k).parts:
            painted(part.material, PERSON_TEXEL_M)

    make(0)  # compiles
    for k in range(1, count + 1):
        clock.time("person", lambda k=k: make(k))
    return clock


def measure_places(kinds: Iterable[str], variants: int | None) -> Clock:
    """Places built, up to so many variants of each kind."""
    clock = Clock()
    for name in kinds:
        for variant in range(min(variants or 99, PLACES[name].variants)):
            clock.time(name, lambda n=name, v=variant: PLACES[n].build(v))
    return clock


def cold_start(count: int, seed: int) -> np.ndarray:
    """Wall and CPU seconds, (2,), of the command that makes so many pictures of yoga, its functions
    and kernels compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "spinetrack_synth", "render", "--scenes", "yoga"]
        command += ["--count", str(count), "--seed", str(seed), "--out", str(Path(folder) / "out")]
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - wall
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return np.array([wall, cpu])


def report(seed: int, rounds: int, full: bool, renderer: EmbeddedRenderer) -> None:
    """Measure and print, each figure with its target; ``full``: of all scenes and places."""
    others = [name for name in scene_names() if name != "yoga"] if full else []
    pictures = measure_pictures(others, seed, rounds, renderer)
    usual = pictures.mean("yoga")
    print(f"against a whole picture of yoga, {SIZE[0]}x{SIZE[1]}, normal: {told(usual)}")
    for step, target in (
        *((name, SCENE_TARGET) for name in others),
        ("view", VIEW_TARGET),
        ("draft", DRAFT_TARGET),
    ):
        wall, cpu = pictures.mean(step) / usual
        title = {"view": "a second view", "draft": "a 256x256 draft"}.get(step, f"scene {step}")
        print(f"  {title:21s} {wall:5.2f} wall, {cpu:5.2f} cpu; target {target:.2f}")
    person = measure_people(seed, 2 * rounds).mean("person")
    print(f"a new person, dressed   {told(person)}; target {PERSON_TARGET_S} s")
    places = measure_places(PLACES if full else ("studio",), None if full else 1)
    for name, spent in places.spent.items():
        longest = max(cpu for _, cpu in spent)
        print(
            f"a new {name:17s} {told(places.mean(name))}, at most {longest:.2f} s cpu; "
            f"target {PLACE_TARGET_S} s"
        )


def report_cold_start(count: int, seed: int, steady: np.ndarray) -> None:
    """Measure and print a start from nothing against the same number of pictures in a long run."""
    cold = cold_start(count, seed)
    wall, cpu = cold / (count * steady)
    print(f"{count} pictures from the start {told(cold)}")
    print(f"  against as many in a long run {wall:.2f} wall, {cpu:.2f} cpu; target {COLD_TARGET}")


def told(seconds: np.ndarray) -> str:
    """Wall and CPU seconds."""
    return f"{seconds[0]:.2f} s wall, {seconds[1]:.2f} s cpu"
