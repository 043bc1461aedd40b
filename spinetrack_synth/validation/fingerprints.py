"""What is in the picture files of a dataset: read once, by several threads, for all rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from spinetrack_synth.coco.fingerprints import Picture, inspect
from spinetrack_synth.coco.picture_paths import picture_folders
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Work


def pictures_of(dataset: Dataset, work: Work) -> tuple[Picture, ...]:
    """The pictures of all images, in their order."""
    return dataset.once("pictures", lambda: _inspect_all(dataset, work))


def _inspect_all(dataset: Dataset, work: Work) -> tuple[Picture, ...]:
    folders = picture_folders(dataset)
    names = [image.get("file_name") for image in dataset.images]
    # Decoding releases the interpreter's lock, so threads are enough.
    with ThreadPoolExecutor(max_workers=max(work.processes, 1)) as pool:
        found = []
        for number, picture in enumerate(pool.map(lambda name: inspect(name, folders), names)):
            found.append(picture)
            work.progress(number + 1, len(names))
    return tuple(found)
