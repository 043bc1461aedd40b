"""How well the fit of the body model finds wrong labels, how often it blames right ones, how fast.

    python benchmarks/validate_anatomy.py [--people 200] [--coco FILE] [--speed 2000] [--body]

People are sampled bodies in settled yoga poses, seen by random cameras, labelled with noise (a part
of the torso's length at the person's distance) and with some points missing. Half of the poses set
the limits, with one half of the subjects; the other half reports, with other subjects, and the fits
begin from a bank of poses that holds none of those reported ("unseen") or all ("seen").
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from spinetrack_synth.anatomy.fit2d.people import (
    FitModel,
    Fits,
    Sightings,
    make_fit_model,
)
from spinetrack_synth.anatomy.fit2d.swaps import SWAPS, exchanged
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.camera import look_at
from spinetrack_synth.poses.ground import solve_contacts
from spinetrack_synth.poses.library import either_side, library
from spinetrack_synth.poses.sampling import pose_coordinates, sample_pose
from spinetrack_synth.skeleton import NAMES, SPINE
from spinetrack_synth.validation import anatomy
from spinetrack_synth.validation.body_fits import (
    Bodies,
    bodies_of,
    estimate_noise,
    examine,
    fit_columns,
    good_cost,
    mirrored_gain,
)
from spinetrack_synth.validation.findings import Fault, Work

Array = NDArray[np.float64]
SETS = {"37 keypoints": 37, "Halpe-26": 26, "COCO-17": 17}
SUBJECTS_EACH = 12
JOINTS = (
    "knee_angle", "elbow_flex", "hip_flexion", "hip_adduction", "ankle_angle", "arm_flex",
    "arm_add",
    "lumbar_extension", "lumbar_bending", "thoracic_rotation", "cervical_extension",
)  # fmt: skip
LIMBS = (
    ("shoulder", "elbow", "wrist"), ("elbow", "wrist"),
    ("hip", "knee", "ankle", "big_toe", "small_toe", "heel"),
    ("knee", "ankle", "big_toe", "small_toe", "heel"),
)  # fmt: skip
SWAPS_SHOWN = (
    "shoulders", "elbows and wrists", "arms", "hips", "knees", "ankles", "ankles and feet",
    "lower legs", "legs", "everything",
)  # fmt: skip


@dataclass(frozen=True)
class Crowd:
    """P people in pictures: exact ``sightings``, ``torso_px`` (P,) and the pose of each."""

    sightings: Sightings
    torso_px: Array
    poses: list[str]


def halves() -> tuple[list[str], list[str]]:
    """Names of the poses that set the limits, and of those that report, by a hash of the name:
    which half a pose is in never changes, whatever else the library holds."""
    setting = {name: hashlib.sha256(name.encode()).digest()[0] % 2 == 0 for name in library("yoga")}
    names = sorted(library("yoga"))
    return [n for n in names if setting[n]], [n for n in names if not setting[n]]


Change = Callable[[Tree, Array, np.random.Generator], Array]


def make_crowd(people: int, poses: list[str], seed: int, change: Change | None = None) -> Crowd:
    """People in those poses, each seen by a camera of its own; the subjects depend on the seed.
    ``change`` makes the 37 points (37, 3) m of a person wrong, from the model and its posture."""
    rng = np.random.default_rng(seed)
    points, focal, center, torso, chosen = [], [], [], [], []
    avatar = bare_avatar(sample_subject(seed, 0))
    for k in range(people):
        if k % max(1, people // SUBJECTS_EACH) == 0:
            avatar = bare_avatar(sample_subject(seed, k))
        pose = either_side(library("yoga")[poses[k % len(poses)]], rng)
        q = sample_pose(avatar.tree, pose, rng)
        q = solve_contacts(avatar.tree, q, pose.contacts, avatar.probe, pose.reaches).q
        world = marker_points(avatar.tree, q)
        middle = (world.min(0) + world.max(0)) / 2
        azimuth, distance = rng.uniform(0, 2 * np.pi), rng.uniform(2.5, 7.0)
        position = middle + distance * np.array([np.cos(azimuth), 0, np.sin(azimuth)])
        position[1] = rng.uniform(0.3, 2.4)
        camera = look_at(
            position, middle + rng.normal(0, 0.25, 3), focal_px=rng.uniform(900, 2000),
            width=1280, height=960, roll_rad=rng.normal(0, 0.05),
        )  # fmt: skip
        depth = camera.to_camera(world)[:, 2].mean()
        rest = avatar.rig.coordinates
        markers = dict(zip(avatar.tree.marker_names, marker_positions(avatar.tree, rest)))
        hips = (markers["left_hip"] + markers["right_hip"]) / 2
        if change is not None:
            world = change(avatar.tree, q, np.random.default_rng([seed, k]))
        points.append(camera.project(world))
        focal.append(camera.K[0, 0])
        center.append(camera.K[:2, 2])
        torso.append(camera.K[0, 0] * np.linalg.norm(markers["neck"] - hips) / depth)
        chosen.append(pose.name)
    sightings = Sightings(
        np.array(points), np.ones((people, len(NAMES)), bool), np.array(focal), np.array(center),
        np.ones(people, bool),
    )  # fmt: skip
    return Crowd(sightings, np.array(torso), chosen)


def marker_points(tree: Tree, q: Array) -> Array:
    """The keypoints (37, 3) m of a posture."""
    markers = dict(zip(tree.marker_names, marker_positions(tree, q)))
    return np.array([markers[name] for name in NAMES])


def beyond_limit(degrees: float) -> Change:
    """A joint of ``JOINTS`` bent so far beyond one end of its range."""

    def change(tree: Tree, q: Array, rng: np.random.Generator) -> Array:
        name = str(rng.choice(JOINTS))
        name += str(rng.choice(["_r", "_l"])) if name not in tree.coordinate_index else ""
        k = tree.free.index(name)
        z = np.linalg.lstsq(tree.coupling, q - tree.offset, rcond=None)[0]
        c = tree.coordinate_index[name]
        end = tree.lower[c] if rng.uniform() < 0.5 else tree.upper[c]
        z[k] = end + np.sign(end - (tree.lower[c] + tree.upper[c]) / 2) * np.radians(degrees)
        return marker_points(tree, tree.coupling @ z + tree.offset)

    return change


def lengthened(share: float, sides: tuple[str, ...]) -> Change:
    """A segment of ``LIMBS`` longer by that share, with all that hangs on it."""

    def change(tree: Tree, q: Array, rng: np.random.Generator) -> Array:
        world = marker_points(tree, q)
        top, *carried = LIMBS[int(rng.integers(len(LIMBS)))]
        for side in sides:
            first, *_ = moved = [NAMES.index(f"{side}_{name}") for name in carried]
            world[moved] += share * (world[first] - world[NAMES.index(f"{side}_{top}")])
        return world

    return change


def labelled(crowd: Crowd, noise: float, keypoints: int, missing: float, seed: int) -> Sightings:
    """What annotators make of a crowd: noise, only the first keypoints, up to a share missing."""
    rng = np.random.default_rng(seed)
    points = crowd.sightings.points_px
    points = points + rng.normal(size=points.shape) * noise * crowd.torso_px[:, None, None]
    share = rng.uniform(0, missing, len(points))[:, None]
    visible = rng.uniform(size=points.shape[:2]) >= share
    visible[:, keypoints:] = False
    return replace(crowd.sightings, points_px=points, visible=visible)


def displaced(
    people: Sightings, crowd: Crowd, among: list[int], share: float, seed: int
) -> tuple[Sightings, NDArray[np.int64]]:
    """One visible point of each person moved by a share of the torso in a random direction."""
    rng = np.random.default_rng(seed)
    points, which = people.points_px.copy(), np.zeros(len(people.visible), np.int64)
    for k, visible in enumerate(people.visible):
        which[k] = rng.choice([m for m in among if visible[m]] or [among[0]])
        angle = rng.uniform(0, 2 * np.pi)
        points[k, which[k]] += share * crowd.torso_px[k] * np.array([np.cos(angle), np.sin(angle)])
    return replace(people, points_px=points), which


def model_of(poses: list[str]) -> FitModel:
    """A fit model that begins at some poses of the library."""
    tree = load_model(fullbody_path())
    return make_fit_model(tree, [pose_coordinates(tree, library("yoga")[name]) for name in poses])


def bodies(model: FitModel, people: Sightings, noise: float) -> Bodies:
    """Everything the rules look at, without a file."""
    fits, glances, doubtful, swapped = examine(model, people, noise=noise)
    rows = np.arange(len(people.visible))
    mirrored = mirrored_gain(model, people, noise)
    return Bodies(
        rows, noise, fit_columns(), model, people, fits, glances, doubtful, swapped, mirrored
    )


def swap_scores(found: Bodies) -> Array:
    """What each person (P,) costs beyond a usual fit, and twice what the best exchange of a limb
    gains; one that loses more than 10 says no more than that."""
    score = np.nan_to_num(found.fits.cost - good_cost(found.fits.labelled))
    gain = found.glances.of_limbs.copy()
    gain[found.doubtful] = np.maximum(gain[found.doubtful], found.swapped.gain)
    return score + 2 * np.nan_to_num(gain, neginf=-10.0).clip(-10)


def mirror_scores(found: Bodies) -> Array:
    """What each person (P,) gains when everything is exchanged."""
    return np.nan_to_num(found.glances.of_everything, neginf=-10.0).clip(-10)


def surprises(fits: Fits, among: list[int]) -> Array:
    """The largest surprise of each person (P,) among some points."""
    return np.nan_to_num(fits.surprise[:, among], nan=0.0).max(axis=1)


def area_under_curve(wrong: Array, right: Array) -> float:
    """Chance that a wrong label scores higher than a right one."""
    ranks = rankdata(np.concatenate([wrong, right]))
    above = ranks[: len(wrong)].sum() - len(wrong) * (len(wrong) + 1) / 2
    return float(above / (len(wrong) * len(right)))


class InMemory:
    """As much of a Dataset as the rules of the body ask for."""

    truth_path = None

    def __init__(self, found: Bodies) -> None:
        self.found = found
        self.annotations = found.rows
        self.labelled = found.sightings.visible
        v = np.where(self.labelled, 2.0, 0.0)
        self.keypoints = np.concatenate([found.sightings.points_px, v[..., None]], axis=2)

    def once(self, key: object, compute: Callable[[], object]) -> object:
        return self.found if key == "bodies" else compute()

    def point(self, name: str) -> Array:
        marker = NAMES.index(name)
        return np.where(self.labelled[:, marker, None], self.keypoints[:, marker], np.nan)

    def key(self, section: str, row: int) -> str:
        return str(row)

    def annotation_fault(self, row: int, message: str, **more: object) -> tuple[int, str]:
        return int(row), message


RULES = (
    anatomy.spine_point_misplaced, anatomy.point_out_of_reach, anatomy.limb_exchanged,
    anatomy.person_exchanged, anatomy.joint_beyond_limit, anatomy.bone_out_of_proportion,
    anatomy.unlike_a_body,
)  # fmt: skip


def blamed(found: Bodies) -> dict[str, set[int]]:
    """People (indices) with a finding, by code."""
    found_by = {}
    for rule in RULES:
        faults = list(rule.check(InMemory(found), None))
        # One fault of the whole file stands for everybody.
        everybody = any(isinstance(fault, Fault) for fault in faults)
        rows = range(len(found.rows)) if everybody else (row for row, _ in faults)
        found_by[rule.code] = set(rows)
    return found_by


def rate(people: set[int], of: int) -> str:
    return f"{100 * len(people) / max(of, 1):5.1f} %"


def report(title: str, model: FitModel, crowd: Crowd, noise: float, keypoints: int) -> None:
    """Detection and false alarms on one kind of labels."""
    right = labelled(crowd, noise, keypoints, 0.3, seed=1)
    taken = estimate_noise(model, right)
    count = len(crowd.poses)
    clean = bodies(model, right, taken)
    alarms = blamed(clean)
    everyone = set().union(*alarms.values())
    print(f"\n## {title}, noise {noise:.1%} (taken for {taken:.1%}), {keypoints} keypoints")
    print(f"clean: {rate(everyone, count)} of {count} people blamed", end=" ")
    print({code: rate(rows, count).strip() for code, rows in alarms.items() if rows})
    worst = Counter(crowd.poses[row] for row in everyone)
    if worst:
        print(f"  poses: {dict(worst.most_common(5))}")
    spine = [m for m in SPINE if m < keypoints]
    others = [m for m in range(keypoints) if m not in SPINE]
    print("fault                       people    AUC   found  right place  false at 1 %")
    for share, among, label in (
        (0.05, spine, "spine"), (0.10, spine, "spine"), (0.20, spine, "spine"),
        (0.20, others, "other"), (0.50, others, "other"),
    ):  # fmt: skip
        if len(spine) < 3 and label == "spine":
            continue
        wrong, which = displaced(right, crowd, among, share, seed=2)
        found = bodies(model, wrong, taken)
        score, calm = surprises(found.fits, among), surprises(clean.fits, among)
        limit = np.quantile(calm, 0.99)
        hit = set().union(*blamed(found).values())
        place = np.nan_to_num(found.fits.surprise, nan=0.0).argmax(axis=1) == which
        print(
            f"{label} point by {share:4.0%}        {count:6} {area_under_curve(score, calm):7.3f}"
            f" {rate(hit, count)}  {100 * place.mean():8.1f} %"
            f"  {100 * (score > limit).mean():8.1f} %"
        )
    for name in SWAPS_SHOWN:
        scores = mirror_scores if name == "everything" else swap_scores
        calm = scores(clean)
        limit = np.quantile(calm, 0.99)
        swaps = np.full(count, list(SWAPS).index(name))
        wrong = exchanged(right, swaps)
        way = np.linalg.norm(wrong.points_px - right.points_px, axis=2)
        both = right.visible & wrong.visible & (way > 0)
        apart = np.where(both, way, 0).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
        rows = np.flatnonzero(apart > 0.1 * crowd.torso_px)
        wrong = wrong.some(rows)
        found = bodies(model, wrong, taken)
        score = scores(found)
        by_code = blamed(found)
        hit = set().union(*by_code.values())
        exchange = by_code["SPT403"] | by_code["SPT404"]
        print(
            f"{name + ' exchanged':27} {len(rows):6} {area_under_curve(score, calm):7.3f}"
            f" {rate(hit, len(rows))}  {rate(exchange, len(rows)):>10}"
            f"  {100 * (score > limit).mean():8.1f} %"
        )


def report_bodies(title: str, model: FitModel, people: int, poses: list[str], seed: int) -> None:
    """How often bodies that cannot be are told: joints beyond limits, segments too long."""
    print(f"\n## {title}, noise 1.0%, 37 keypoints: bodies that cannot be")
    print("fault                                people    AUC   found  as such (SPT405, SPT406)")
    right = labelled(make_crowd(people, poses, seed), 0.01, 37, 0.3, seed=1)
    taken = estimate_noise(model, right)
    calm = bodies(model, right, taken)
    kinds: list[tuple[str, Change]] = [
        *((f"joint {d} degrees beyond", beyond_limit(d)) for d in (10, 20, 30)),
        *((f"segment {s:.0%} longer, one side", lengthened(s, ("left",))) for s in (0.1, 0.2, 0.3)),
        *(
            (f"segment {s:.0%} longer, both sides", lengthened(s, ("left", "right")))
            for s in (0.1, 0.2, 0.3)
        ),
    ]
    for name, change in kinds:
        wrong = labelled(make_crowd(people, poses, seed, change), 0.01, 37, 0.3, seed=1)
        found = bodies(model, wrong, taken)
        by_code = blamed(found)
        scores = [b.fits.cost / b.fits.labelled for b in (found, calm)]
        print(
            f"{name:36} {people:6} {area_under_curve(*map(np.nan_to_num, scores)):7.3f}"
            f" {rate(set().union(*by_code.values()), people)}"
            f"  {rate(by_code['SPT405'] | by_code['SPT406'], people)}"
        )


def calibrate(model: FitModel, crowd: Crowd) -> None:
    """What clean people of the calibrating half reach: the limits of the rules lie above."""
    for noise in (0.0, 0.01, 0.02):
        right = labelled(crowd, noise, 37, 0.3, seed=3)
        taken = estimate_noise(model, right)
        found = bodies(model, right, taken)
        fits, body = found.fits, model.body
        off = np.linalg.norm(fits.off_px, axis=2) / fits.torso_px[:, None]
        spine, others = list(SPINE), [m for m in range(37) if m not in SPINE]
        with np.errstate(invalid="ignore"):
            beyond = np.degrees(np.maximum(fits.columns - body.upper, body.lower - fits.columns))
        names = list(anatomy.SEGMENTS)
        mean, sd = np.array(list(anatomy.SEGMENTS.values())).T
        columns = [found.names.index(name) for name in names]
        gains = np.zeros(len(right.visible))
        name = np.array(list(SWAPS))[found.swapped.swap]
        whole = name == "everything"
        gains[found.doubtful] = np.where(whole, 0.0, np.nan_to_num(found.swapped.gain, neginf=0.0))
        mirrored = np.maximum(found.glances.of_everything, 0.0)
        print(f"\n## clean, noise {noise:.1%} (taken for {taken:.1%}): 50 90 95 99 99.5 100 %")
        for label, values in (
            ("spine surprise", surprises(fits, spine)),
            ("spine off, of the torso", np.nan_to_num(off[:, spine]).max(axis=1)),
            ("other surprise", surprises(fits, others)),
            ("cost a point", fits.cost / fits.labelled),
            ("gain of a limb's exchange", gains),
            ("gain of a whole exchange", mirrored),
            ("degrees beyond a limit", np.nan_to_num(beyond).clip(0, 999).max(axis=1)),
            ("segments, sd", np.abs((fits.columns[:, columns] - mean) / sd).max(axis=1)),
        ):
            print(f"{label:26}", np.percentile(values, [50, 90, 95, 99, 99.5, 100]).round(3))


def photos(path: Path) -> None:
    """False alarms on people labelled by hand: every finding with its place."""
    from spinetrack_synth.validation.engine import validate
    from spinetrack_synth.validation.release import read

    dataset = read(path)
    found = validate([dataset], RULES)
    people = sum(bool(a.get("num_keypoints")) for a in dataset.annotations)
    fitted = bodies_of(dataset, Work())
    rows = {finding.row for finding in found.findings}
    count = int(fitted.fits.fitted.sum())
    print(f"\n## {path.name}: {people} people with keypoints, {count} fitted")
    print(f"noise taken for {fitted.noise:.1%}; people blamed: {len(rows)}")
    for finding in found.findings:
        print(f"  {finding.code} {finding.place}: {finding.message}")


def speed(people: int) -> None:
    """CPU time a person with everything, on clean people of all poses with 1 % noise."""
    crowd = make_crowd(min(people, 400), sorted(library("yoga")), seed=9)
    right = labelled(crowd, 0.01, 37, 0.3, seed=4)
    right = right.some(np.arange(people) % len(crowd.poses))
    model = model_of(sorted(library("yoga")))
    examine(model, right.some(np.arange(4)), noise=0.01)
    start, wall = time.process_time(), time.perf_counter()
    examine(model, right, noise=0.01, threads=2)
    cpu, wall = time.process_time() - start, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\n{people} people: {1e3 * cpu / people:.2f} ms CPU each, {wall:.1f} s on the clock,")
    print(f"33,000 people: {33 * cpu / people * 1e3:.0f} s CPU; memory at most {memory:.2f} GB")


def print_body() -> None:
    """Mean and spread of the bodies that the fit's tables were taken from."""
    model = load_model(fullbody_path())
    trees = [bare_avatar(sample_subject(5, k)).tree for k in range(40)]
    base = model.chain.joint_in_parent[:, :3, 3]
    joints = np.array([tree.chain.joint_in_parent[:, :3, 3] for tree in trees])
    for body, name in enumerate(model.bodies):
        if not name.endswith("_l"):
            print(f"{name:12}", base[body].round(3), joints[:, body].mean(0).round(3),
                  joints[:, body].std(0).round(4))  # fmt: skip
    for name in NAMES:
        if not name.startswith("left_"):
            offsets = np.array([t.marker_offset_m[t.marker_index[name]] for t in trees])
            print(f"{name:18}", offsets.mean(0).round(3), offsets.std(0).round(4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coco", type=Path, help="a file of people labelled by hand")
    parser.add_argument("--speed", type=int, default=0, help="measure the time of so many people")
    parser.add_argument("--body", action="store_true", help="print the sizes of sampled bodies")
    parser.add_argument("--quick", action="store_true", help="limits and 37 keypoints only")
    arguments = parser.parse_args()
    if arguments.body:
        print_body()
    if arguments.speed:
        speed(arguments.speed)
    if arguments.coco:
        photos(arguments.coco)
    if not arguments.people:
        return
    setting, reporting = halves()
    unseen, seen = model_of(setting), model_of(sorted(library("yoga")))
    calibrate(model_of(reporting), make_crowd(arguments.people, setting, arguments.seed))
    crowd = make_crowd(arguments.people, reporting, arguments.seed + 1)
    report("seen poses", seen, crowd, 0.01, 37)
    report("unseen poses", unseen, crowd, 0.01, 37)
    report_bodies("unseen poses", unseen, arguments.people, reporting, arguments.seed + 1)
    if not arguments.quick:
        report("unseen poses", unseen, crowd, 0.02, 37)
        report("unseen poses", unseen, crowd, 0.01, 26)
        report("unseen poses", unseen, crowd, 0.02, 17)


if __name__ == "__main__":
    main()
