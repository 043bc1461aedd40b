"""Datasets opened as splits, whatever format they are in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from spinetrack_synth.curation.coco_source import open_coco
from spinetrack_synth.curation.progress import ProgressBar, silent
from spinetrack_synth.curation.samples import Split
from spinetrack_synth.curation.shards import read_shards
from spinetrack_synth.curation.tables import read_tables
from spinetrack_synth.curation.yolo import DATA, read_yolo
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.release import keypoint_files

READERS: Final[dict[str, Callable[[Sequence[Path]], list[Split]]]] = {
    ".tar": read_shards,
    ".parquet": read_tables,
    ".yaml": lambda files: read_yolo(files[0]),
    ".yml": lambda files: read_yolo(files[0]),
}
"""Formats other than COCO's by the endings of their files."""


@contextlib.contextmanager
def open_dataset(
    path: Path, images: Path | None = None, bar: ProgressBar = silent
) -> Iterator[list[Split]]:
    """The splits of a COCO file or a folder of some, of a ``data.yaml``, of tar files or of tables,
    as long as the context lasts. ``images`` is the folder of a COCO file's pictures; ``bar`` is
    told how much of such a file is read. Raises UserError where there is nothing of the kind."""
    files, others = _files(path)
    reader = READERS.get(files[0].suffix)
    if reader is not None:
        if images is not None:
            raise UserError(f"{path}: --images goes with COCO files; this tells where they are")
        yield reader(files)
        return
    with contextlib.ExitStack() as opened:
        splits = [opened.enter_context(open_coco(file, images, bar)) for file in files]
        notes = tuple(f"{file}: left out, it holds no keypoints" for file in others)
        yield [replace(splits[0], notes=(*notes, *splits[0].notes)), *splits[1:]]


def _files(path: Path) -> tuple[list[Path], list[Path]]:
    """The files of a dataset, and those left out."""
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"{path}: cannot be read: No such file or directory")
        return [path], []
    if (path / DATA).is_file():
        return [path / DATA], []
    tables = sorted((path / "data").glob("*.parquet")) or sorted(path.glob("*.parquet"))
    shards = sorted(path.glob("*.tar"))
    if tables or shards:
        return tables or shards, []
    try:
        return keypoint_files(path)
    except UserError:
        described = [
            file for kind in ("*.yaml", "*.yml") for file in path.glob(kind) if _pose(file)
        ]
        if len(described) != 1:
            raise
        return described, []


def _pose(file: Path) -> bool:
    """Does a YAML file describe keypoints, as `data.yaml` does?"""
    return "kpt_shape" in file.read_text(encoding="utf-8", errors="replace")
