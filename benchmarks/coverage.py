"""What people over all scenes look like, beside what other generators publish, and how far apart
the scenes are.

    python benchmarks/coverage.py [--people 2000] [--scenes all] [--seed 0] [--out DIR]

Shots and labels are made as `render` makes them, at 640x480 with 1 to 8 people in a picture, but
without light: who hides whom is told by ids and depth alone, so nothing of a label is missing but
the picture. What is made is kept in DIR, in the layout of a dataset, where there is one.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import count
from pathlib import Path

import numpy as np

from spinetrack_synth.coco.writing import encode, file_bytes
from spinetrack_synth.dataset import DatasetConfig
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.records import ground_truth_bytes, record_shot
from spinetrack_synth.dataset.source import scene_source
from spinetrack_synth.labels import annotate
from spinetrack_synth.rendering.embedded import EmbeddedRenderer
from spinetrack_synth.rendering.packing import owners
from spinetrack_synth.shot import Frame, Shot

SPLIT = "coverage"
SAVED_EVERY = 50


def frame_of(renderer: EmbeddedRenderer, shot: Shot) -> Frame:
    """Ids and depth of a shot as `render` has them, with a black picture."""
    surface, depth_m = renderer.scan(shot)
    ids = np.append(owners(shot), np.uint8(0))[surface]
    return Frame(rgb=np.zeros((*ids.shape, 3), dtype=np.uint8), ids=ids, depth_m=depth_m)


def draw(scenes: str, people: int, seed: int, out: Path) -> Layout:
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
            return layout
    raise AssertionError("unreachable")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--scenes", default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        draw(given.scenes, given.people, given.seed, given.out or Path(folder))


if __name__ == "__main__":
    main()
