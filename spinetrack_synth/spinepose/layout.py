"""Which pictures and videos are looked at, what they are called, and where their results go."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.image_files import PICTURE_SUFFIXES
from spinetrack_synth.spinepose.video import VIDEO_SUFFIXES

Input = Path | int
"""A picture or a video, or the number of a camera."""

USUAL_FOLDER: Final = Path("predictions")
KNOWN: Final = PICTURE_SUFFIXES | VIDEO_SUFFIXES


@dataclass(frozen=True)
class Found:
    """The inputs, each once, and a line for every argument that led to none."""

    inputs: tuple[Input, ...]
    faults: tuple[str, ...]


def find_inputs(arguments: Sequence[str]) -> Found:
    """Files, folders (what lies directly in them), patterns, or numbers of cameras.

    What macOS notes beside files (``._photo.jpg``) is passed over in folders and patterns. Raises
    UserError where nothing at all is found.
    """
    found: dict[Input, Input] = {}
    faults = []
    for argument in arguments:
        try:
            for source in _find(argument):
                found.setdefault(_absolute(source), source)
        except UserError as error:
            faults.append(str(error))
    if not found and faults:
        raise UserError("; ".join(faults))
    return Found(tuple(found.values()), tuple(faults))


def is_video(source: Input) -> bool:
    """Whether an input has frames: a camera, or a file that is called like a video."""
    return isinstance(source, int) or _suffix(source) in VIDEO_SUFFIXES


def file_names(inputs: Sequence[Input]) -> tuple[str, ...]:
    """What each input is called in the results.

    A file's own name where no two are alike, else its path below the folder that all share.
    """
    places = [_absolute(source) for source in inputs]
    files = [place for place in places if isinstance(place, Path)]
    alike = len({path.name.casefold() for path in files}) < len(files)
    shared = os.path.commonpath([path.parent for path in files]) if alike else ""
    return tuple(
        f"camera {place}"
        if isinstance(place, int)
        else place.relative_to(shared).as_posix()
        if alike
        else place.name
        for place in places
    )


@dataclass(frozen=True)
class Layout:
    """Where the results go: ``names`` (I,) of every input's files, and the places, None where
    nothing of the kind is written.

    ``folder`` takes ``predictions.json`` and ``angles.csv``; ``drawn`` is a folder, or the file of
    the only input; so is ``openpose``, or the folder of the only input, a video.
    """

    names: tuple[str, ...]
    folder: Path | None
    drawn: Path | None
    openpose: Path | None
    alone: bool

    def drawn_file(self, row: int, suffix: str) -> Path | None:
        """Where an input is drawn: a picture, or a video."""
        if self.drawn is None or _names_a_file(self.drawn):
            return self.drawn
        return self.drawn / f"{self.names[row]}{suffix}"

    def openpose_file(self, row: int, frame: int | None) -> Path | None:
        """Where the people of a picture, or of a frame of a video, are written."""
        if self.openpose is None:
            return None
        if frame is None:
            if _is_json(self.openpose):
                return self.openpose
            return self.openpose / f"{self.names[row]}_keypoints.json"
        if self.alone:
            return self.openpose / f"frame_{frame:05d}.json"
        name = self.names[row]
        return self.openpose / name / f"{Path(name).name}_{frame:012d}_keypoints.json"


def lay_out(
    inputs: Sequence[Input], names: Sequence[str], out: Path | None, openpose: Path | None
) -> Layout:
    """Find the places: all in a folder; or only a drawn file where ``out`` names one, and only
    OpenPose files where ``openpose`` alone is given.

    ``names`` are those of ``file_names``. Raises UserError where a file is to hold several inputs,
    or would replace one.
    """
    stems = tuple(_stems(inputs, names))
    if out is not None and _names_a_file(out):
        _check_file(out, inputs)
        folder, drawn = None, out
    elif out is None and openpose is not None:
        folder, drawn = None, None
    else:
        folder = out or USUAL_FOLDER
        drawn = folder / "drawn"
    if openpose is None:
        return Layout(stems, folder, drawn, folder and folder / "openpose", alone=False)
    if _is_json(openpose) and len(inputs) != 1:
        raise UserError(f"{openpose}: one file for {len(inputs)} inputs; name a folder")
    return Layout(stems, folder, drawn, openpose, alone=len(inputs) == 1)


def _find(argument: str) -> Iterator[Input]:
    path = Path(argument)
    if path.is_dir():
        try:
            inside = sorted(filter(_wanted, path.iterdir()))
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from error
        if not inside:
            raise UserError(f"{path}: no picture and no video in this folder{_deeper(path)}")
        yield from inside
    elif path.is_file():
        yield path
    elif argument.isdecimal() or argument.casefold() == "webcam":
        yield int(argument) if argument.isdecimal() else 0
    else:
        # Brackets may be meant as they stand: "run[1]/*.jpg".
        for pattern in (argument, argument.replace("[", "[[]")):
            names = glob.glob(pattern, recursive=True)  # noqa: PTH207 (may be absolute)
            matching = sorted(filter(_wanted, map(Path, names)))
            if matching:
                yield from matching
                return
        raise UserError(f"{argument}: no such file, folder, pattern or camera number")


def _deeper(folder: Path) -> str:
    """A hint where pictures lie in the folders of a folder."""
    there = any(_wanted(path) for path in folder.glob("*/*"))
    return f"; there are some in its folders: '{folder}/**/*.jpg'" if there else ""


def _wanted(path: Path) -> bool:
    return _suffix(path) in KNOWN and not path.name.startswith("._") and not path.is_dir()


def _absolute(source: Input) -> Input:
    """Without the detours by which one file can be named twice."""
    return source if isinstance(source, int) else Path(os.path.abspath(source))  # noqa: PTH100


def _stems(inputs: Sequence[Input], names: Sequence[str]) -> Iterator[str]:
    """Names without their endings, counted where two are alike."""
    taken: set[str] = set()
    for source, full in zip(inputs, names):
        camera = isinstance(source, int)
        stem = f"camera{source}" if camera else Path(full).with_suffix("").as_posix()
        name, count = stem, 1
        while name.casefold() in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name.casefold())
        yield name


def _check_file(out: Path, inputs: Sequence[Input]) -> None:
    if len(inputs) != 1:
        raise UserError(f"{out}: one file for {len(inputs)} inputs; name a folder")
    source = inputs[0]
    if is_video(source) != is_video(out):
        kind, suffix = ("video", ".mp4") if is_video(source) else ("picture", ".jpg")
        raise UserError(f"{out}: the input is a {kind}: name a file with {suffix}, or a folder")
    if isinstance(source, Path) and out.exists() and out.samefile(source):
        raise UserError(f"{out}: is the input itself; name another file")


def _names_a_file(path: Path) -> bool:
    return _suffix(path) in KNOWN and not path.is_dir()


def _is_json(path: Path) -> bool:
    return _suffix(path) == ".json" and not path.is_dir()


def _suffix(path: Path) -> str:
    return path.suffix.lower()
