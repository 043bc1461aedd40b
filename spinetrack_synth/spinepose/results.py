"""Predictions written to files: COCO results, OpenPose, a table of spine angles.

All are written frame by frame beside their place and put there when they are whole.
"""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco import encode
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import SPINE
from spinetrack_synth.spinepose.angles import spine_angles
from spinetrack_synth.spinepose.model import result
from spinetrack_synth.spinepose.tracking import Tracked

OPENPOSE_VERSION: Final = 1.3
OPENPOSE_EMPTY: Final = (
    "face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d",
    "pose_keypoints_3d", "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d",
)  # fmt: skip

ANGLE_COLUMNS: Final = (
    "file_name", "frame", "time_s", "person_id", "spine_score", "facing", "lordosis_deg",
    "kyphosis_deg", "lumbar_turn_deg", "thoracic_turn_deg", "cervical_turn_deg", "lean_deg",
)  # fmt: skip


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A text file that appears when the block ends well. Raises UserError where it cannot."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        scratch.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink()
        with contextlib.suppress(OSError):  # it holds something, as it should
            path.parent.rmdir()


class CocoResults:
    """A list of COCO keypoint results; ``image_id`` counts the pictures unless it is given."""

    def __init__(self, stream: IO[str], *, spine_only: bool = False) -> None:
        self._stream, self._spine_only, self._first = stream, spine_only, True
        stream.write("[")

    def add(
        self,
        people: Tracked,
        image_id: int,
        file_name: str,
        frame: int | None,
        links: Sequence[Mapping[str, int]] = (),
    ) -> None:
        """The people of a picture, or of a frame of a video; ``links`` are fields of each."""
        kept = list(SPINE) if self._spine_only else slice(None)
        for row, person_id in enumerate(people.ids):
            record = result(
                people.keypoints_px[row][kept],
                people.scores[row][kept],
                image_id=image_id,
                box_xywh=people.boxes_xywh[row],
            )
            record |= links[row] if links else {}
            record |= {"track_id": int(person_id), "file_name": file_name}
            if frame is not None:
                record["frame"] = frame
            self._stream.write(("\n" if self._first else ",\n") + encode(record))
            self._first = False

    def end(self) -> None:
        """Close the list."""
        self._stream.write("\n]\n")


def write_openpose(path: Path, people: Tracked, *, spine_only: bool = False) -> None:
    """One picture's people as OpenPose writes them, with their ids."""
    kept = list(SPINE) if spine_only else slice(None)
    records = [
        {
            "person_id": [int(person_id)],
            "pose_keypoints_2d": np.column_stack([points, scores])[kept].round(4).ravel().tolist(),
            **{name: [] for name in OPENPOSE_EMPTY},
        }
        for person_id, points, scores in zip(people.ids, people.keypoints_px, people.scores)
    ]
    content = {"version": OPENPOSE_VERSION, "people": records}
    write_atomic(path, (json.dumps(content, separators=(",", ":")) + "\n").encode())


class AngleTable:
    """A CSV table with a row a person; cells of what cannot be told are empty."""

    def __init__(self, stream: IO[str], least_score: float) -> None:
        self._rows = csv.writer(stream, lineterminator="\n")
        self._least_score = least_score
        self._rows.writerow(ANGLE_COLUMNS)

    def add(self, people: Tracked, file_name: str, frame: int | None, time_s: float | None) -> None:
        """The people of a picture, or of a frame of a video; they have the 37 keypoints."""
        if not len(people):
            return
        angles = spine_angles(people.keypoints_px, people.scores, self._least_score)
        spine_scores = people.scores[:, list(SPINE)].mean(axis=1)
        for row, person_id in enumerate(people.ids):
            numbers = (
                angles.lordosis_deg[row], angles.kyphosis_deg[row], *angles.turn_deg[row],
                angles.lean_deg[row],
            )  # fmt: skip
            self._rows.writerow(
                [
                    file_name,
                    "" if frame is None else frame,
                    "" if time_s is None else f"{time_s:.4f}",
                    int(person_id),
                    f"{spine_scores[row]:.3f}",
                    int(angles.facing[row]),
                    *("" if np.isnan(number) else f"{number:.2f}" for number in numbers),
                ]
            )
