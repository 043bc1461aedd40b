"""What people over all scenes look like, beside what other generators publish, and how far apart
the scenes are.

    python benchmarks/coverage.py [--people 2000] [--scenes all] [--seed 0] [--out DIR]
    python benchmarks/coverage.py --dataset DIR

Shots and labels are made as `render` makes them, at 640x480 with 1 to 8 people in a picture, but
without light: who hides whom is told by ids and depth alone, so nothing of a label is missing but
the picture. What is made is kept in DIR, in the layout of a dataset, where there is one. A dataset
that is there already is only counted.

Two scenes were one with other colours if they had the same poses, places and views; how much two
distributions have in common is 1 less their total variation distance. Halves of one scene, by even
and odd pictures, tell what of it is chance.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from itertools import combinations, count
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spinetrack_synth.coco.parsing import read_json
from spinetrack_synth.coco.writing import encode, file_bytes
from spinetrack_synth.dataset import DatasetConfig
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.records import ground_truth_bytes, record_shot
from spinetrack_synth.dataset.source import scene_source
from spinetrack_synth.labels import annotate
from spinetrack_synth.rendering.embedded import EmbeddedRenderer
from spinetrack_synth.rendering.packing import owners
from spinetrack_synth.shot import Frame, Shot
from spinetrack_synth.stats import counting
from spinetrack_synth.stats.counting import Statistics, source_of
from spinetrack_synth.stats.tables import QUANTILES, overlap
from spinetrack_synth.stats.text import figure, percent, to_text
from spinetrack_synth.validation.release import find_files

SPLIT = "coverage"
SAVED_EVERY = 50

PEERS = {
    "SpineTrack-Unreal (2025)": (
        "16 avatars", "10 motions", "5 calibrated cameras, 1,000 photo backgrounds", "25k people",
        "37 points; visibility: inside the frame",
    ),
    "UnrealPose (CVPR 2026)": (
        "5 subjects a sequence", "about 40 scripted actions, about 100 randomised",
        "5 + 3 scenes, moving cameras", "1 M", "3D joints, COCO points with occlusion flags, masks",
    ),
    "BEDLAM 2 (NeurIPS 2025)": (
        "BMI 18-41, strand hair, shoes, graded clothing", "capture (AMASS-style)",
        "hand-held, orbit, head-mounted; focal lengths of real film", "27k sequences, 8 M",
        "SMPL-X, camera motion",
    ),
    "PeopleSansPeople (Unity, 2021)": (
        "28 scans", "39 animations", "random light, camera, background textures", "490k",
        "COCO-17, boxes, masks",
    ),
    "SynthHuman / DAViD (Microsoft, 2025)": (
        "procedural faces and bodies", "scans, capture", "studio-like", "300k",
        "depth, normals, mask",
    ),
    "PoseDreamer (2026)": (
        "diffusion", "SMPL-controlled", "as prompted", "500k", "3D mesh, filtered",
    ),
}  # fmt: skip
"""What they publish: people, motions or poses, cameras and scenes, pictures, labels."""
HEADS = ("people", "poses", "cameras, scenes", "pictures", "labels")

ASPECTS = {
    "pose": ("pose_family",),
    "view": ("azimuth_deg", "elevation_deg", "above_horizon_deg", "distance_m"),
    "place": ("place",),
    "light": ("light",),
}
"""Measures by what scenes may have in common; of several their mean overlap."""
SWAPPED = 0.8
"""Two scenes that have so much in common of pose, view and place alike were one."""


def frame_of(renderer: EmbeddedRenderer, shot: Shot) -> Frame:
    """Ids and depth of a shot as `render` has them, with a black picture."""
    surface, depth_m = renderer.scan(shot)
    ids = np.append(owners(shot), np.uint8(0))[surface]
    return Frame(rgb=np.zeros((*ids.shape, 3), dtype=np.uint8), ids=ids, depth_m=depth_m)


def draw(scenes: str, people: int, seed: int, out: Path) -> None:
    """Label so many people, or some more in the last picture, into a folder."""
    config = DatasetConfig(scenes, count=people, seed=seed, split=SPLIT, subjects=(1, 8))
    layout = Layout(out, SPLIT, config.format)
    for path in (layout.annotations, layout.ground_truth):
        path.parent.mkdir(parents=True, exist_ok=True)
    shot_at, renderer = scene_source(config), EmbeddedRenderer()
    images: list[str] = []
    annotations: list[str] = []
    rows: list[dict[str, object]] = []
    for index in count():
        shot = shot_at(index)
        labels = annotate(shot, frame_of(renderer, shot))
        record = record_shot(shot, labels, layout.image_name(index))
        images.append(encode(record.image))
        annotations += map(encode, record.annotations)
        rows += record.ground_truth
        done = len(annotations) >= people
        if done or len(images) % SAVED_EVERY == 0:
            layout.annotations.write_bytes(file_bytes(images, annotations))
            layout.ground_truth.write_bytes(ground_truth_bytes(rows, None, 0))
            print(f"{len(annotations)} people in {len(images)} pictures", flush=True)
        if done:
            return


def part(labels: Path, wanted: Callable[[dict[str, object]], bool]) -> Statistics | None:
    """What the people of some of a dataset's pictures look like; None where there are none."""
    data = read_json(labels)
    images = [image for image in data["images"] if wanted(image)]
    ids = {image["id"] for image in images}
    people = [person for person in data["annotations"] if person["image_id"] in ids]
    if not people:
        return None
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder), SPLIT, "jpg")
        for path in (layout.annotations, layout.ground_truth):
            path.parent.mkdir(parents=True)
        layout.annotations.write_text(json.dumps(data | {"images": images, "annotations": people}))
        truth = source_of(labels).truth
        if truth is not None:
            table = pq.read_table(truth)
            chosen = pc.is_in(table["image_id"], value_set=pc.cast(list(ids), "int64"))
            pq.write_table(table.filter(chosen), layout.ground_truth)
        return counting.count([source_of(layout.annotations)])


def common(first: Statistics, second: Statistics) -> dict[str, float]:
    """How much two sets of people have in common, by ``ASPECTS``."""
    return {
        aspect: float(np.mean([overlap(first.tables[k], second.tables[k]) for k in keys]))
        for aspect, keys in ASPECTS.items()
    }


def span(statistics: Statistics, key: str, low: float = 0.01, high: float = 0.99) -> str:
    """From which value to which, a hundredth left out at both ends."""
    table = statistics.tables[key]
    ends = (table.quantiles[QUANTILES.index(share)] for share in (low, high))
    return " to ".join(map(figure, ends))


def ours(statistics: Statistics) -> tuple[str, ...]:
    """The same columns as those of ``PEERS``."""
    tables = statistics.tables
    shaped = 1 - sum(b.share for b in tables["spine_condition"].bars if b.label == "normal")
    hidden = tables["hidden_share"].quantiles[QUANTILES.index(0.5)]
    return (
        f"{statistics.subjects:,} drawn of no end of them, {statistics.looks:,} looks; "
        f"{span(statistics, 'age_years')} years, BMI {span(statistics, 'bmi')}, "
        f"{span(statistics, 'stature_m')} m; {percent(shaped)} with spines that are not normal",
        f"{len(tables['pose'].bars)} poses of {len(tables['pose_family'].bars)} families, each "
        f"varied: {span(statistics, 'library_distance_m')} m from the library",
        f"{len(tables['scene'].bars)} scenes, {len(tables['place_variant'].bars)} variants of "
        f"{len(tables['place'].bars)} places, {len(tables['light'].bars)} kinds of light; "
        f"{span(statistics, 'focal_mm')} mm, {span(statistics, 'distance_m')} m, "
        f"{span(statistics, 'above_horizon_deg')} degrees above the horizon",
        "no end of them",
        f"37 points of which {percent(hidden)} hidden (median), masks, 3D, joint and spine angles, "
        "Cobb angles, camera",
    )


def table(head: str, rows: dict[str, tuple[str, ...]], columns: tuple[str, ...]) -> str:
    """A table as Markdown has it."""
    lines = [f"| {head} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(row)} |" for name, row in rows.items())])


def scenes_apart(labels: Path) -> str:
    """The pairs of scenes that have most in common, and halves of each scene for comparison."""
    names = sorted({str(image["scene"]) for image in read_json(labels)["images"]})
    by_scene, halves = {}, []
    for name in names:
        by_scene[name] = part(labels, lambda image, name=name: image["scene"] == name)
        even, odd = (
            part(labels, lambda i, name=name, k=k: i["scene"] == name and i["id"] % 2 == k)
            for k in (0, 1)
        )
        if even is not None and odd is not None:
            halves.append(common(even, odd))
    pairs = {
        f"{a}, {b}": common(by_scene[a], by_scene[b])
        for a, b in combinations([name for name in names if by_scene[name] is not None], 2)
    }
    if not pairs:
        return "one scene alone: nothing to hold it against"
    alike = sorted(pairs, key=lambda pair: -min(pairs[pair][k] for k in ("pose", "view", "place")))
    rows = {pair: pairs[pair] for pair in alike[:6]}
    rows["any two scenes (mean)"] = mean(list(pairs.values()))
    if halves:
        rows["halves of one scene (mean)"] = mean(halves)
    told = {name: tuple(f"{row[k]:.2f}" for k in ASPECTS) for name, row in rows.items()}
    swapped = [
        pair for pair, row in pairs.items()
        if min(row[k] for k in ("pose", "view", "place")) >= SWAPPED
    ]  # fmt: skip
    verdict = (
        f"palette swaps: {'; '.join(swapped)}"
        if swapped
        else f"no scene is a palette swap of another: none of {len(pairs)} pairs has {SWAPPED:g} "
        "or more in common of pose, view and place alike"
    )
    return table("in common", told, tuple(ASPECTS)) + f"\n\n{verdict}"


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--scenes", default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--dataset", type=Path, help="count this one in place of drawing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = given.dataset or given.out or Path(folder)
        if given.dataset is None:
            draw(given.scenes, given.people, given.seed, out)
        (labels,) = find_files(out)
        statistics = counting.count([source_of(labels)])
        print(to_text(statistics))
        print(table("", {"spinetrack-synth": ours(statistics), **PEERS}, HEADS), end="\n\n")
        print(scenes_apart(labels))


if __name__ == "__main__":
    main()
