"""Where everything of a dataset lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"
CONTACT_SHEET = "contact_sheet.jpg"
WORK = ".parts"
LOCK = ".lock"


@dataclass(frozen=True)
class Layout:
    """The files of one split below ``root``; ``maps`` lie beside each picture."""

    root: Path
    split: str
    format: str
    maps: tuple[str, ...] = ()

    @property
    def annotations(self) -> Path:
        return annotations_path(self.root, self.split)

    @property
    def ground_truth(self) -> Path:
        return ground_truth_path(self.root, self.split)

    @property
    def manifest(self) -> Path:
        return self.root / MANIFEST

    @property
    def contact_sheet(self) -> Path:
        return self.root / CONTACT_SHEET

    @property
    def work(self) -> Path:
        """What a run under way needs to be continued; gone when the split is complete."""
        return self.root / WORK / self.split

    @property
    def state(self) -> Path:
        return self.work / "state.json"

    @property
    def failures(self) -> Path:
        """The pictures that failed, until the split is complete."""
        return self.work / "failures.jsonl"

    def image_name(self, index: int) -> str:
        return f"{index:06d}.{self.format}"

    def image(self, index: int) -> Path:
        return images_folder(self.root, self.split) / self.image_name(index)

    def map(self, kind: str, index: int) -> Path:
        return maps_folder(self.root, kind, self.split) / f"{index:06d}.png"

    def part(self, index: int) -> Path:
        """The record of a shot that is done: it is written after the shot's image."""
        return self.work / f"{index:06d}.json"


def annotations_path(root: Path, split: str) -> Path:
    """The COCO file of a split."""
    return root / "annotations" / f"person_keypoints_{split}.json"


def ground_truth_path(root: Path, split: str) -> Path:
    """The Parquet file of a split's ground truth."""
    return root / "ground_truth" / f"{split}.parquet"


def images_folder(root: Path, split: str) -> Path:
    """The folder of a split's pictures."""
    return root / "images" / split


def maps_folder(root: Path, kind: str, split: str) -> Path:
    """The folder of one kind of label maps of a split, file by file those of the pictures."""
    return root / kind / split


def video_path(root: Path, split: str, name: str) -> Path:
    """The video of a clip of a split."""
    return root / "videos" / split / f"{name}.mp4"
