"""Time and memory of the gate's structural rules, and the values behind the limits of its rules.

    python benchmarks/validate.py [--annotations 33000]
    python benchmarks/validate.py --calibrate [--people 4000]

The first makes a file of so many people with 37 keypoints and run-length masks and runs every rule
that needs neither pictures nor the fitted body. The second projects poses of the library from all
sides and prints how far clean people go: the limits in ``validation/spine.py`` and ``sides.py``
lie above these figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.camera import look_at
from spinetrack_synth.coco import PERSON, Record
from spinetrack_synth.lengths import SPINE_GAPS_M
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.validation import sides, spine
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.engine import validate
from spinetrack_synth.validation.registry import all_rules, choose
from spinetrack_synth.validation.release import read

SIZE = 1200


def project_people(count: int, seed: int) -> NDArray[np.float64]:
    """People (count, 37, 2) px in poses of the library, from all sides and heights."""
    tree = load_model(fullbody_path())
    order = [tree.marker_names.index(name) for name in skeleton.NAMES]
    poses = list(library("yoga").values())
    rng = np.random.default_rng(seed)
    people = []
    for number in range(count):
        points = marker_positions(tree, sample_pose(tree, poses[number % len(poses)], rng))[order]
        middle = points.mean(0)
        azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(-10, 50))
        toward = [
            np.cos(elevation) * np.cos(azimuth),
            np.sin(elevation),
            np.cos(elevation) * np.sin(azimuth),
        ]
        camera = look_at(
            middle + rng.uniform(2.2, 7) * np.array(toward),
            middle,
            focal_px=750,
            width=SIZE,
            height=SIZE,
        )
        people.append(camera.project(points))
    return np.array(people)


def make_file(people: NDArray[np.float64]) -> Record:
    """A dataset with one person an image; the mask is an ellipse around the points."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    images, annotations = [], []
    encoded: list[tuple[Record, list[int], int]] = []
    for points in people[:200]:
        middle, radius = (points.min(0) + points.max(0)) / 2, np.ptp(points, axis=0) * 0.72 + 20
        mask = ((x - middle[0]) / radius[0]) ** 2 + ((y - middle[1]) / radius[1]) ** 2 < 1
        rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        counts = {"size": [SIZE, SIZE], "counts": rle["counts"].decode()}
        box = [int(n) for n in coco_mask.toBbox(rle)]
        encoded.append((counts, box, int(mask.sum())))
    for number in range(len(people)):
        shape = number % len(encoded)
        points = np.clip(people[shape] + 1e-4 * number, 0, SIZE).round(3)
        counts, box, area = encoded[shape]
        images.append(
            {"id": number, "file_name": f"{number:06d}.jpg", "width": SIZE, "height": SIZE}
        )
        annotations.append(
            {
                "id": number + 1,
                "image_id": number,
                "category_id": 1,
                "iscrowd": 0,
                "num_keypoints": len(points),
                "keypoints": [n for px, py in points.tolist() for n in (px, py, 1)],
                "bbox": box,
                "area": area,
                "segmentation": counts,
            }
        )
    info = {"description": "made for a benchmark", "version": "1"}
    return {"info": info, "licenses": [], "categories": [PERSON], "images": images,
            "annotations": annotations}  # fmt: skip


def time_rules(count: int) -> None:
    print(f"making {count:,} annotations")
    data = make_file(np.resize(project_people(200, seed=3), (count, 37, 2)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "person_keypoints_train.json"
        path.write_text(json.dumps(data))
        del data
        print(f"file: {path.stat().st_size / 1e6:.1f} MB")
        rules = [rule for rule in choose(all_rules(), (), (), ()) if not rule.slow]
        start, cpu = time.perf_counter(), time.process_time()
        dataset = read(path)
        middle = time.perf_counter()
        report = validate([dataset], rules)
        end, cpu = time.perf_counter(), time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"reading {middle - start:.2f} s, {len(rules)} rules {end - middle:.2f} s, "
          f"together {end - start:.2f} s (wanted: 5 s), {cpu:.2f} s of CPU")  # fmt: skip
    print(f"peak memory {memory:.0f} MB, making the file included (wanted: 2000 MB)")
    print(f"findings: {len(report.findings)}")
    for code, seconds in sorted(report.seconds.items(), key=lambda item: -item[1])[:8]:
        print(f"  {code} {seconds:.3f} s")


def calibrate(count: int) -> None:
    data = make_file(project_people(200, seed=3)[:1])
    people = project_people(count, seed=4)
    record = data["annotations"][0]
    data["annotations"] = [
        {**record, "id": number + 1,
         "keypoints": [n for x, y in points.tolist() for n in (x, y, 2)]}
        for number, points in enumerate(people)
    ]  # fmt: skip
    dataset = Dataset(Path("clean.json"), data)
    measures = {
        f"shorter way by an exchange, m (limit {spine.SWAP_GAIN_M})": spine.swap_gain_m(dataset),
        f"spine upside down, m (limit {spine.REVERSED_M})": spine.upside_down_m(dataset),
        f"gap against the model (limit {spine.GAP_RATIO})": spine.gaps_m(dataset) / SPINE_GAPS_M,
        f"turn, degrees (limit {spine.BEND_DEG})": spine.bend_deg(dataset),
        f"bones at a joint (limit {spine.BONE_RATIO})": spine.bone_ratio(dataset),
        **{
            f"{a} nearer the other {b}, m (limit {sides.FEET_M})": sides.feet_crossed_m(
                dataset, a, b
            )
            for a, b in sides.FEET
        },
        f"-cosine of eyes and ears (limit {-sides.OPPOSED})": -sides.cosine(
            sides.across(dataset, "eye"), sides.across(dataset, "ear")
        ),
    }
    off = spine.off_curve_m(dataset)
    for index, limit in enumerate(spine.OFF_CURVE_M):
        name = spine.SPINE_NAMES[index + 1]
        measures[f"{name} off its neighbours' line, m (limit {limit})"] = off[:, index]
    trunk = ("shoulder", "clavicle", "latissimus", "hip")
    for a in trunk:
        for b in trunk[trunk.index(a) + 1 :]:
            cosine = sides.cosine(sides.across(dataset, a), sides.across(dataset, b))
            measures[f"-cosine of {a} and {b} (limit {-sides.OPPOSED})"] = -cosine
    print(f"{count:,} clean people; each figure the 50th, 99th, 99.9th percentile and the largest")
    for name, values in measures.items():
        values = values[np.isfinite(values)]
        figures = np.percentile(values, [50, 99, 99.9, 100])
        print(f"{name:62}" + "".join(f"{figure:9.3f}" for figure in figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--annotations", type=int, default=33_000)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--people", type=int, default=4000)
    arguments = parser.parse_args()
    if arguments.calibrate:
        calibrate(arguments.people)
    else:
        time_rules(arguments.annotations)


if __name__ == "__main__":
    main()
