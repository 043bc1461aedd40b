"""Seconds a picture of the whole product, against Mitsuba and Open Image Denoise alone and against
one another; memory.

    python benchmarks/render.py [--full] [--pictures 40] [--compare 2] [--rounds 1] [--cold 0]
                                [--scene yoga] [--seed 7] [--size 640x480]
                                [--bpy-python PYTHON [--cycles 2] [--cycles-window 320x240]
                                 [--cycles-folder DIR]]

First a dataset is made: people who come now and then, new clothes in every shot, sampling of shots,
posing, rendering, labels, files. Then, for some of its shots, the same pictures are drawn by
Mitsuba's own plugins on a scene that stays loaded and compiled: the people's new vertices, `path`
and `aov` at the same samples and depth, ids and depth by ray casting, and the denoiser at the same
setting. Last come the costs that have targets: scenes against yoga, a further view, a draft, a new
person, a new place, a start from nothing (``render_costs.py``).

With a Python that has Blender (``bpy``) its Cycles draws some shots as well, in a process of its
own, and pictures a CPU-minute at equal quality are told (``render_cycles.py``). Its references take
long; ``--cycles-folder`` keeps them, and the pictures of both.

``--full`` takes 300 pictures, 12 comparisons, 12 rounds over all scenes, all places, and 40
pictures from the start, which is long: leave the machine to it.
Seconds are means, of the dataset without its first pictures, which compile kernels, build places
and load textures; on a machine with other work only the CPU time means much.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import render_cycles
from asked import picture_size
from clock import Clock, describe
from render_costs import report, report_cold_start

from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.rendering import Quality, open_renderer
from spinetrack_synth.rendering.embedded import EFFORT, EmbeddedRenderer
from spinetrack_synth.rendering.packing import area_lights, smooth
from spinetrack_synth.scenes import load_scene, make_shot
from spinetrack_synth.shot import Frame, Shot

WARM_UP = 100
"""Pictures of the dataset that do not count, at most half of them: after these all places were
seen."""


class TimedRenderer:
    """The renderer under test, and a look at the memory after every 50th picture."""

    def __init__(self, renderer: EmbeddedRenderer, clock: Clock) -> None:
        self.renderer = renderer
        self.clock = clock
        self.drawn = 0
        self.lanes, self.provenance = renderer.lanes, renderer.provenance

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        frame = self.clock.time("render", lambda: self.renderer.render(shot, quality=quality))
        self.drawn += 1
        if self.drawn % 50 == 0 or self.drawn == 10:
            print(f"  {self.drawn:4d} pictures: {resident_mb():.0f} MB resident", flush=True)
        return frame

    def close(self) -> None:
        """Stays open: it is compared with afterwards."""


def resident_mb() -> float:
    """Memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def make_dataset(
    config: DatasetConfig, shot_at: Callable[[int], Shot], renderer: EmbeddedRenderer
) -> Clock:
    """A dataset made as the command makes it; time of each picture and of its main steps."""
    clock = Clock()
    timed = TimedRenderer(renderer, clock)
    last = [time.perf_counter(), time.process_time()]

    def progress(done: int, wanted: int) -> None:
        now = [time.perf_counter(), time.process_time()]
        if done:
            clock.spent["picture"].append((now[0] - last[0], now[1] - last[1]))
        last[:] = now

    with tempfile.TemporaryDirectory() as folder:
        run_dataset(
            config,
            Path(folder) / "out",
            progress,
            open_source=lambda _: lambda index: clock.time("shot", lambda: shot_at(index)),
            open_renderer=lambda _: timed,
        )
    return clock


def draw_bare(shot: Shot, quality: Quality, clock: Clock) -> None:
    """The same picture by Mitsuba's plugins on a loaded, compiled scene; the second one counts."""
    import drjit as dr
    import mitsuba as mi
    import pyoidn

    from spinetrack_synth.rendering import scalar
    from spinetrack_synth.rendering.lights import distant_light

    effort = EFFORT[quality]
    surfaces = [smooth(surface) for surface in shot.surroundings]
    moving = [smooth(surface) for person in shot.people for surface in person.surfaces]
    description: dict[str, Any] = {"type": "scene", **scalar._afar(distant_light(shot.lights))}
    for number, surface in enumerate(surfaces + moving):
        description[f"surface{number}"] = scalar._mesh(surface)
    for number, lamp in enumerate(area_lights(shot)):
        description[f"lamp{number}"] = scalar._lamp(lamp)
    description["sensor"] = scalar._sensor(shot.camera, centred=False)
    scene = mi.load_dict(description)
    parameters = mi.traverse(scene)
    path = mi.load_dict({"type": "path", "max_depth": effort.depth + 1, "rr_depth": 3})
    guides = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal"})
    width, height = shot.camera.width, shot.camera.height
    sensor = scene.sensors()[0]

    def pose() -> None:
        for number, surface in enumerate(moving, start=len(surfaces)):
            name = f"surface{number}"
            parameters[f"{name}.vertex_positions"] = surface.vertices_world.ravel()
            parameters[f"{name}.vertex_normals"] = np.ravel(surface.normals_world)
        parameters.update()
        dr.sync_thread()

    def cast_rays() -> None:
        pixel = dr.arange(mi.UInt32, width * height)
        film = mi.Point2f((pixel % width + 0.5) / width, (pixel // width + 0.5) / height)
        ray, _ = sensor.sample_ray(0.0, 0.5, film, mi.Point2f(0.5))
        hit = scene.ray_intersect_preliminary(ray)
        np.array(dr.reinterpret_array(mi.UInt32, hit.shape))
        np.array(hit.t)

    for steps in (Clock(), clock):
        steps.time("pose", pose)
        light = steps.time(
            "path", lambda: np.array(mi.render(scene, spp=effort.spp, integrator=path))
        )
        both = steps.time("guides", lambda: np.array(mi.render(scene, spp=2, integrator=guides)))
        steps.time("ids", cast_rays)
        albedo = np.ascontiguousarray(np.clip(both[..., :3], 0, 1))
        normal = np.ascontiguousarray(both[..., 3:6])
        steps.time(
            "denoise",
            lambda a=albedo, n=normal, c=light: pyoidn.denoise(
                c, albedo=a, normal=n, hdr=True, clean_aux=True, quality=effort.denoiser
            ),
        )


def settings() -> argparse.Namespace:
    """What was typed; ``--full`` stands for larger numbers where none are given."""
    parser = argparse.ArgumentParser(description="Seconds a picture, of the whole and of its steps")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--pictures", type=int)
    parser.add_argument("--compare", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--cold", type=int)
    parser.add_argument("--scene", default="yoga")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quality", choices=[q.value for q in Quality], default="normal")
    parser.add_argument("--size", type=picture_size, default=(640, 480), metavar="WxH")
    parser.add_argument("--bpy-python", type=Path, metavar="PYTHON")
    parser.add_argument("--cycles", type=int, default=2, metavar="PICTURES")
    parser.add_argument("--cycles-window", type=picture_size, default=(320, 240), metavar="WxH")
    parser.add_argument("--cycles-folder", type=Path, metavar="DIR")
    options = parser.parse_args()
    small_and_full = {"pictures": (40, 300), "compare": (2, 12), "rounds": (1, 12), "cold": (0, 40)}
    for name, values in small_and_full.items():
        if getattr(options, name) is None:
            setattr(options, name, values[options.full])
    wrong = options.bpy_python and render_cycles.usable(options.bpy_python)
    if wrong:
        parser.error(wrong)
    return options


def main() -> None:
    options = settings()
    renderer = open_renderer()
    assert isinstance(renderer, EmbeddedRenderer)
    config = DatasetConfig(
        scene=options.scene,
        count=options.pictures,
        seed=options.seed,
        size=options.size,
        quality=options.quality,
    )
    scene, cast = load_scene(config.scene), Cast(config.seed)

    def shot_at(index: int) -> Shot:
        return make_shot(
            scene, config.seed, index, cast, size=config.size, subjects=config.subjects
        )

    print(f"{renderer.variant}, {config.size[0]}x{config.size[1]}, {config.quality} quality")
    print(f"  before the first picture: {resident_mb():.0f} MB resident", flush=True)
    product = make_dataset(config, shot_at, renderer)
    skip = min(WARM_UP, options.pictures // 2)
    shot_time, render_time, picture = (
        product.mean(step, skip) for step in ("shot", "render", "picture")
    )
    print(f"  sampling and posing {describe(shot_time)}")
    print(f"  rendering           {describe(render_time)}")
    print(f"  labels and files    {describe(picture - shot_time - render_time)}")
    print(f"  a whole picture     {describe(picture)}")

    ours, bare = Clock(), Clock()
    quality = Quality(config.quality)
    for index in range(options.compare):
        shot = shot_at(index)
        renderer.render(shot, quality=quality)  # its textures are on the device now, as Mitsuba's
        moved = replace(shot, people=(*shot.people,))  # what is the same shot is not loaded again
        ours.time("render", lambda s=moved: renderer.render(s, quality=quality))
        draw_bare(shot, quality, bare)
        gc.collect()  # its scene, before the next one is built
    print(f"the same {options.compare} shots")
    for step in bare.spent:
        print(f"  mitsuba {step:11s} {describe(bare.mean(step))}")
    alone = np.sum([bare.mean(step) for step in bare.spent], axis=0)
    whole = ours.mean("render") + picture - render_time
    print(f"  mitsuba + OIDN alone {describe(alone)}")
    print(f"  this renderer        {describe(ours.mean('render'))}")
    print(f"  the whole product    {describe(whole)}")
    for name, k in (("wall", 0), ("cpu", 1)):
        print(f"  whole product / alone, {name}: {whole[k] / alone[k]:.2f}")
    if options.rounds:
        report(options.seed, options.rounds, options.full, renderer)
    if options.cold:
        report_cold_start(options.cold, options.seed, picture)
    if options.bpy_python is None:
        print(render_cycles.HOW_TO)
    elif options.cycles:
        shots = render_cycles.of_different_places(shot_at, options.cycles)
        with render_cycles.Cycles(options.bpy_python, options.cycles_folder) as blender:
            render_cycles.report(
                shots, renderer, quality, draw_bare, blender, options.cycles_window
            )


if __name__ == "__main__":
    main()
