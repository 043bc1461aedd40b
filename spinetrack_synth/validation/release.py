"""The files of a release: which they are, and what lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spinetrack_synth.coco.parsing import read_object
from spinetrack_synth.coco.streaming import read_records
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.dataset import Dataset


def read(path: Path, *, pictures: Path | None = None, previous: Dataset | None = None) -> Dataset:
    """Read a file; raises UserError, in one line, only where it holds no JSON object at all.

    ``pictures`` is the folder of the images, ``previous`` the file of the release before. Ground
    truth is found beside the file, in the layout that ``render`` writes.
    """
    data, quirks = read_object(path)
    truth = path.parent.parent / "ground_truth"
    truth_path = truth / f"{path.stem.removeprefix('person_keypoints_')}.parquet"
    return Dataset(
        path=path,
        data=data,
        pictures=pictures,
        quirks=tuple(quirks),
        previous=previous,
        truth_path=truth_path if truth_path.is_file() else None,
    )


def read_release(
    paths: Sequence[Path], *, pictures: Path | None = None, previous: Path | None = None
) -> tuple[list[Dataset], list[Dataset]]:
    """Read the files and folders of a release: those to judge, and those left out as in
    ``with_keypoints``. ``previous`` is the file of the release before. Raises UserError as ``read``
    does, and where a folder holds no annotations."""
    old = read(previous) if previous else None
    files = [file for path in paths for file in find_files(path)]
    return with_keypoints([read(file, pictures=pictures, previous=old) for file in files])


def with_keypoints(datasets: list[Dataset]) -> tuple[list[Dataset], list[Dataset]]:
    """The files that hold keypoints and the others, which are no splits of the same release:
    COCO puts the captions and the boxes of a split beside its keypoints. Where none holds any, all
    are judged."""
    having = [
        dataset
        for dataset in datasets
        if any("keypoints" in record for record in (*dataset.categories, *dataset.annotations))
    ]
    having = having or datasets
    return having, [dataset for dataset in datasets if dataset not in having]


def keypoint_files(argument: Path) -> tuple[list[Path], list[Path]]:
    """The files of ``find_files`` that hold keypoints, and the others; of one alone, or where none
    holds any, all are the first."""
    files = find_files(argument)
    having = [file for file in files if len(files) == 1 or _holds_keypoints(file)] or files
    return having, [file for file in files if file not in having]


def _holds_keypoints(path: Path) -> bool:
    return any(
        "keypoints" in record
        for section, record in read_records(path)
        if section in ("annotations", "categories") and isinstance(record, dict)
    )


def find_files(argument: Path) -> list[Path]:
    """The file that is named, or the annotation files of the folder that is, or of its splits."""
    if not argument.is_dir():
        return [argument]
    for folder in (argument / "annotations", argument):
        found = sorted(folder.glob("*.json"))
        found = [path for path in found if path.name != "manifest.json"]
        objects = [path for path in found if not _is_list(path)]
        if objects:
            return objects
    splits = sorted(argument.glob("*/_annotations.coco.json"))  # of Roboflow
    if splits:
        return splits
    raise UserError(f"{argument}: holds no annotation files (*.json); name one")


def _is_list(path: Path) -> bool:
    """Does the file hold a list, such as results of a detector?"""
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"[")
