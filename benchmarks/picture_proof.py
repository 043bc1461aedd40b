"""Is a picture told from those of other shots, cameras and poses? Rates, and room to the limits.

    python benchmarks/picture_proof.py [--shots 240] [--seed 11] [--size 480x360] [--cache FOLDER]

Shots of the yoga scene are drawn by the embedded renderer at draft quality, with ids and with depth
as it comes over the wire. Then the proofs of ``rendering/unreal`` (``contours``, ``resemblance``)
judge right pictures, changed as a real renderer, a sensor and a codec change them, and wrong ones:
lagging, mirrored, half updated, aside, of other cameras and of other poses. Of the right ones none
may be refused. The limits were chosen on seeds 7 and 11; another seed tests them.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.camera import Camera
from spinetrack_synth.poses.placement import moved, turned
from spinetrack_synth.rendering import Quality, open_renderer
from spinetrack_synth.rendering.unreal.contours import (
    FAR_LIMIT,
    FEWEST_FOR_OFF,
    FEWEST_POINTS,
    OFF_LIMIT,
    Contours,
    check_contours,
    check_way_round,
    far_offsets,
    find_contours,
    match,
    offsets,
    regions,
    room,
)
from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.rendering.unreal.resemblance import (
    ALIKE_LIMIT,
    FEWEST_PIXELS,
    PART_LIMIT,
    SETTLED,
    WAYS,
    Impression,
    apart_inside,
    check_new,
    impression,
    least_agreement,
    resemblance,
    resemblance_of_parts,
)
from spinetrack_synth.scenes import load_scene, make_shot
from spinetrack_synth.scenes.placing import choose_pose, take_stance
from spinetrack_synth.shot import PosedPerson, Shot

RGB = NDArray[np.uint8]
Light = NDArray[np.float64]
Rng = np.random.Generator
Change = Callable[[RGB, Rng], RGB]

IN_TURN = 3
"""Most changes and wrong pictures are made of every so manieth shot."""

MISTAKEN_EVERY = 4
"""Other cameras and poses are drawn for every so manieth shot: they take as long as ten shots."""


class Drawn(NamedTuple):
    """A shot's picture, ids (H, W) and depth (H, W) m as it comes over the wire, its place, and
    pictures by name that are not the shot's."""

    rgb: RGB
    ids: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    place: str
    wrong: dict[str, RGB]


def draw_shots(seed: int, count: int, size: tuple[int, int], cache: Path) -> Iterator[Drawn]:
    """The shots of a seed with wrong pictures of each, drawn once and then taken from files."""
    cache.mkdir(parents=True, exist_ok=True)
    scene, cast, renderer = load_scene("yoga"), Cast(seed), open_renderer()
    for index in range(count):
        path = cache / f"{seed}-{index:04d}-{size[0]}x{size[1]}.npz"
        if not path.exists():
            shot = make_shot(scene, seed, index, cast, size)
            frame = renderer.render(shot, quality=Quality.DRAFT)
            with np.errstate(over="ignore"):
                depth_cm = (100 * frame.depth_m).astype(np.float16)
            pictures = {"rgb": frame.rgb, "ids": frame.ids, "depth_cm": depth_cm}
            rng = np.random.default_rng([seed, index])
            others = {} if index % MISTAKEN_EVERY else mistaken(shot, cast, rng)
            for name, other in others.items():
                pictures[f"wrong {name}"] = renderer.render(other, quality=Quality.DRAFT).rgb
            place = np.array(f"{shot.place} {shot.variant}")
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, place=place, **pictures)
            part.rename(path)
        with np.load(path) as file:
            depth_m = file["depth_cm"].astype(np.float32) / 100
            wrong = {k.removeprefix("wrong "): file[k] for k in file.files if k.startswith("wrong")}
            yield Drawn(file["rgb"], file["ids"], depth_m, str(file["place"]), wrong)


def mistaken(shot: Shot, cast: Cast, rng: np.random.Generator) -> dict[str, Shot]:
    """Shots that an engine may draw in place of this one: other cameras, other poses."""
    camera, scene = shot.camera, load_scene(shot.scene)
    others = tuple(in_another_pose(person, cast, scene.poses, rng) for person in shot.people)
    found = {
        "camera 5 cm aside": replace(shot, camera=shifted(camera, 0.05)),
        "camera 20 cm aside": replace(shot, camera=shifted(camera, 0.20)),
        "camera turned 1 deg": replace(shot, camera=panned(camera, np.radians(1))),
        "camera turned 3 deg": replace(shot, camera=panned(camera, np.radians(3))),
        "field of view 2 % off": replace(shot, camera=zoomed(camera, 1.02)),
        "field of view 5 % off": replace(shot, camera=zoomed(camera, 1.05)),
        "everybody in another pose": replace(shot, people=others),
    }
    if len(others) > 1:
        people = (others[0], *shot.people[1:])
        found["one of several in another pose"] = replace(shot, people=people)
    return found


def in_another_pose(
    person: PosedPerson, cast: Cast, families: dict[str, float], rng: Rng
) -> PosedPerson:
    """The same person on the same spot."""
    avatar = next(a for a in map(cast.avatar, itertools.count())
                  if a.subject.subject_id == person.subject_id)  # fmt: skip
    stance = None
    while stance is None or stance.pose.name == person.pose:
        stance = take_stance(avatar, choose_pose(families, rng), rng)
    q = turned(avatar.tree, stance.q, rng.uniform(-np.pi, np.pi))
    middle = pose_avatar(avatar, q).skin_world.mean(0)
    offset = (person.skin_world.mean(0) - middle) * [1, 0, 1]
    return replace(pose_avatar(avatar, moved(avatar.tree, q, offset), stance.fingers),
                   pose=stance.pose.name)  # fmt: skip


def shifted(camera: Camera, aside_m: float) -> Camera:
    """The camera moved along its own x."""
    world2cam = camera.world2cam.copy()
    world2cam[0, 3] -= aside_m
    return replace(camera, world2cam=world2cam)


def panned(camera: Camera, angle_rad: float) -> Camera:
    """The camera turned about its own y."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    turn = np.eye(4)
    turn[:3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
    return replace(camera, world2cam=turn @ camera.world2cam)


def zoomed(camera: Camera, factor: float) -> Camera:
    """The camera with a longer focal length."""
    K = camera.K.copy()
    K[0, 0] *= factor
    K[1, 1] *= factor
    return replace(camera, K=K)


# Right pictures, as engines make them


def to_light(rgb: RGB) -> Light:
    return (rgb / 255.0) ** 2.2


def to_picture(light: Light) -> RGB:
    return (255 * np.clip(light, 0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)


def noisy(rgb: RGB, rng: Rng) -> RGB:
    """As of a sensor that is full with 800 photons and reads with an error of 3."""
    light = to_light(rgb)
    return to_picture(rng.poisson(800 * light) / 800 + rng.normal(0, 3 / 800, light.shape))


def soft(rgb: RGB, rng: Rng) -> RGB:
    return cv2.GaussianBlur(rgb, (0, 0), 1.0)


def jittered(rgb: RGB, rng: Rng) -> RGB:
    """Aside by up to half a pixel in both directions."""
    return aside(rgb, *rng.uniform(-0.5, 0.5, 2))


def aside(rgb: RGB, right: float, down: float) -> RGB:
    move = np.array([[1, 0, right], [0, 1, down]], float)
    size = (rgb.shape[1], rgb.shape[0])
    return cv2.warpAffine(rgb, move, size, borderMode=cv2.BORDER_REPLICATE)


def sharp(rgb: RGB, rng: Rng) -> RGB:
    return np.clip(2.0 * rgb - cv2.GaussianBlur(rgb, (0, 0), 1.0), 0, 255).astype(np.uint8)


def compressed(rgb: RGB, rng: Rng) -> RGB:
    return cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], 1)


def exposed(stops: float) -> Change:
    return lambda rgb, rng: to_picture(to_light(rgb) * 2**stops)


def with_gamma(gamma: float) -> Change:
    return lambda rgb, rng: (255 * (rgb / 255.0) ** gamma + 0.5).astype(np.uint8)


def blooming(rgb: RGB, rng: Rng) -> RGB:
    """What is bright shines around itself."""
    light = to_light(rgb)
    return to_picture(0.9 * light + 0.6 * cv2.GaussianBlur(np.maximum(light - 0.6, 0), (0, 0), 12))


def foggy(rgb: RGB, depth_m: NDArray[np.float32]) -> RGB:
    """Half of the light is the fog's at 17 m."""
    clear = np.exp(-np.minimum(depth_m, 1000) / 25)[..., None]
    return to_picture(to_light(rgb) * clear + 0.5 * (1 - clear))


def of_an_engine(rgb: RGB, rng: Rng) -> RGB:
    """All of it at once: jittered, soft, up to a stop brighter or darker, noisy, compressed."""
    for change in (jittered, soft, exposed(rng.uniform(-1, 1)), noisy, compressed):
        rgb = change(rgb, rng)
    return rgb


def dark_and_noisy(rgb: RGB, rng: Rng) -> RGB:
    return noisy(exposed(-3)(rgb, rng), rng)


RIGHT: dict[str, Change] = {
    "as drawn": lambda rgb, rng: rgb, "noisy": noisy, "soft": soft, "jittered": jittered,
    "sharpened": sharp, "jpeg of quality 75": compressed, "1 stop brighter": exposed(1),
    "1 stop darker": exposed(-1), "3 stops darker": exposed(-3), "gamma 0.6": with_gamma(0.6),
    "gamma 1.6": with_gamma(1.6), "blooming": blooming, "of an engine": of_an_engine,
    "3 stops darker, noisy": dark_and_noisy,
}  # fmt: skip


def right_pictures(drawn: Drawn, rng: Rng, turn: int) -> Iterator[tuple[str, RGB]]:
    """Of every shot as drawn and of an engine, the other changes in turn."""
    changes = {**RIGHT, "foggy": lambda rgb, rng: foggy(rgb, drawn.depth_m)}
    for number, (name, change) in enumerate(changes.items()):
        if name in ("as drawn", "of an engine") or number % IN_TURN == turn % IN_TURN:
            yield name, change(drawn.rgb, rng)


def before_a_pattern(drawn: Drawn, grain_px: float, rng: Rng) -> Drawn:
    """The people before a wall of blots of such a size, as strong as silhouettes."""
    wall = cv2.GaussianBlur(rng.normal(0, 1, drawn.rgb.shape), (0, 0), grain_px)
    wall = np.clip(110 + 35 * wall / wall.std(), 0, 255).astype(np.uint8)
    nobody = drawn.ids == 0
    depth_m = np.where(nobody, np.float32(50), drawn.depth_m)
    return drawn._replace(rgb=np.where(nobody[..., None], wall, drawn.rgb), depth_m=depth_m)


def wrong_pictures(drawn: Drawn, before: Drawn, rng: Rng) -> dict[str, Callable[[], RGB]]:
    """None of them has the bytes of any other picture."""
    now, old = drawn.rgb, before.rgb
    height = len(now)
    upper = np.arange(height)[:, None, None] < height // 2
    middle = abs(np.arange(height)[:, None, None] - height / 2) < height / 6
    half = (now / 2 + old / 2).astype(np.uint8)
    found = {
        "the shot before, a grey level of noise": lambda: one_level(old, rng),
        "the shot before, of an engine": lambda: of_an_engine(old, rng),
        "the shot before, mirrored": lambda: noisy(old[:, ::-1], rng),
        "half the shot before, half this one": lambda: noisy(half, rng),
        "mirrored": lambda: noisy(now[:, ::-1], rng),
        "upside down": lambda: noisy(now[::-1], rng),
        "upper half old": lambda: noisy(np.where(upper, old, now), rng),
        "lower half old": lambda: noisy(np.where(upper, now, old), rng),
        "middle third old": lambda: noisy(np.where(middle, old, now), rng),
        "3 px aside and down": lambda: noisy(aside(now, 3, 3), rng),
    }
    for px in (2, 3, 4, 5, 10):
        found[f"{px} px aside"] = lambda px=px: noisy(aside(now, px, 0), rng)
    for name, rgb in drawn.wrong.items():
        found[name] = lambda rgb=rgb: noisy(rgb, rng)
    return found


def one_level(rgb: RGB, rng: Rng) -> RGB:
    return np.clip(rgb + rng.integers(-1, 2, rgb.shape), 0, 255).astype(np.uint8)


# What is made of them

PROOFS = ("shot before", "lit: is", "agreement", "px from")
"""By a part of what they say."""


class Verdict(NamedTuple):
    """Which proof refused a picture, "" for none, and how far each was from refusing it: the score
    of people and of things above the limit, edges off and likeness below theirs."""

    refused: str
    people: float
    things: float
    off: float
    alike: float


def judge(rgb: RGB, drawn: Drawn, contours: Contours, before: Impression) -> Verdict:
    names = [str(k) for k in range(1, contours.people + 1)]
    now, found = impression(rgb, drawn.ids, drawn.depth_m), match(rgb, contours)
    refused = ""
    try:
        check_new(now, before)
        check_way_round(rgb, contours, found)
        check_contours(found, names)
    except WrongPicture as error:
        refused = next(k for k in PROOFS if k in str(error))
    left: tuple[list[float], list[float]] = ([], [])
    off = []
    for owner in range(contours.people + 1):
        mine = found.owner == owner
        left[owner > 0].extend(room(regions(found, mine), owner))
        group = mine if owner else found.owner >= 0
        off += [OFF_LIMIT - o for n, o, _ in offsets(found, group) if n >= FEWEST_FOR_OFF]
        off += [FAR_LIMIT - o for n, o, _ in far_offsets(found, group) if n >= FEWEST_POINTS]
    alike = []
    for _, turn in WAYS:
        old = before.turned(turn)
        count, likeness = resemblance(now, old, apart_inside(now, old))
        if count >= FEWEST_PIXELS:
            alike.append(ALIKE_LIMIT[0] + ALIKE_LIMIT[1] / np.sqrt(count) - likeness)
    for count, likeness in resemblance_of_parts(now, before, apart_inside(now, before)):
        alike.append(PART_LIMIT[0] + PART_LIMIT[1] / np.sqrt(count) - likeness)
    return Verdict(refused, *(min(v, default=np.nan) for v in (left[1], left[0], off, alike)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shots", type=int, default=240)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--size", default="480x360")
    parser.add_argument("--cache", type=Path, help="where pictures are kept for the next time")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    rng = np.random.default_rng(options.seed)
    right: dict[str, list[Verdict]] = defaultdict(list)
    wrong: dict[str, list[Verdict]] = defaultdict(list)
    steady: dict[str, list[float]] = defaultdict(list)
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        before = None
        cache = options.cache or Path(folder)
        shots = draw_shots(options.seed, options.shots, (width, height), cache)
        for turn, drawn in enumerate(shots):
            begin = time.process_time()
            contours = find_contours(drawn.ids, drawn.depth_m)
            check_contours(match(drawn.rgb, contours), ["1", "2", "3"])
            impression(drawn.rgb, drawn.ids, drawn.depth_m)
            spent.append(time.process_time() - begin)
            if before is not None:
                old = impression(before.rgb, before.ids, before.depth_m)
                for name, rgb in right_pictures(drawn, rng, turn):
                    right[name].append(judge(rgb, drawn, contours, old))
                grain_px = 2 ** (turn % 4)
                walled = before_a_pattern(drawn, grain_px, rng)
                ends = find_contours(walled.ids, walled.depth_m)
                right["before a pattern"].append(judge(walled.rgb, walled, ends, old))
                for number, (name, take) in enumerate(wrong_pictures(drawn, before, rng).items()):
                    if name in drawn.wrong or number % IN_TURN == turn % IN_TURN:
                        wrong[name].append(judge(take(), drawn, contours, old))
                for name, pair in pairs(drawn, before, rng):
                    steady[name].append(least_agreement(*pair))
            before = drawn
    print(f"{len(right['as drawn'])} shots of seed {options.seed} at {options.size}, "
          f"{np.median(spent):.3f} s CPU a picture")  # fmt: skip
    for title, verdicts in (("right", right), ("wrong", wrong)):
        print(f"{title} pictures: refused; by which proof; least room to the limits of")
        print(f"{'':40s} {'':9s} before turned contours off   people things off before")
        for name, found in verdicts.items():
            kinds = Counter(v.refused for v in found)
            least = np.nanmin(np.array([v[1:] for v in found], float), axis=0)
            told = " ".join(f"{kinds[k]:5d}" for k in PROOFS)
            print(f"{name:40s} {len(found) - kinds['']:4d}/{len(found):<4d} {told}    "
                  + " ".join(f"{v:+.2f}" for v in least))  # fmt: skip
    print("two pictures one after the other: least correlation, lowest, median and highest")
    for name, values in steady.items():
        changes = sum(v < SETTLED for v in values)
        three = (min(values), np.median(values), max(values))
        told = " ".join(f"{v:+.2f}" for v in three)
        print(f"{name:40s} {changes:4d}/{len(values):<4d} {told}")


def pairs(drawn: Drawn, before: Drawn, rng: Rng) -> Iterator[tuple[str, tuple[RGB, RGB]]]:
    """Pictures that engines may draw one after the other."""
    now, old = drawn.rgb, before.rgb
    upper = np.arange(len(now))[:, None, None] < len(now) // 2
    yield "the same, noisy", (noisy(now, rng), noisy(now, rng))
    yield "the same, dark and noisy", (dark_and_noisy(now, rng), dark_and_noisy(now, rng))
    yield "the same, of an engine", (of_an_engine(now, rng), of_an_engine(now, rng))
    yield "upper half old", (np.where(upper, old, now), now)
    yield "old, then new", (noisy(old, rng), noisy(now, rng))
    faint = (0.7 * now + 0.3 * old).astype(np.uint8)
    yield "three tenths old, then new", (faint, now)


if __name__ == "__main__":
    main()
