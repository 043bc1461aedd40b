"""A file as the rules see it: its document, what lies beside it, and faults with their places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spinetrack_synth import skeleton
from spinetrack_synth.coco.document import Document, Floats
from spinetrack_synth.coco.values import plain
from spinetrack_synth.validation.findings import Fault


@dataclass(frozen=True, eq=False)
class Dataset(Document):
    """A document with the release before it and the ground truth beside it, where there are any."""

    previous: Dataset | None = None
    truth_path: Path | None = None

    @cached_property
    def lacks(self) -> dict[str, str]:
        """What rules need (keys of ``rules.NEEDS``) and this file has not, with the reason."""
        lacking = {}
        named = [names for names in self.trusted_names if names]
        trusted = [
            names for names, person in zip(self.trusted_names, self.people_categories)
            if names and person
        ]  # fmt: skip
        if not named:
            lacking["names"] = lacking["any names"] = (
                "the names of the keypoints are in doubt" if any(self.names) else "no keypoints"
            )
        elif not trusted:
            lacking["names"] = "no keypoints of a person's body"
        spine = {skeleton.NAMES[index] for index in skeleton.SPINE}
        if not any(spine <= set(names) for names in trusted):
            lacking["spine"] = lacking.get("names") or f"{self.skeleton} has no spine points"
        if self.pictures is None:
            lacking["images"] = "no --images given"
        if self.truth_path is None:
            lacking["ground truth"] = "no ground truth beside the file"
        if self.previous is None:
            lacking["previous"] = "no --previous given"
        return lacking

    def annotation_fault(
        self,
        row: int,
        message: str,
        *,
        field: str = "",
        part: str = "",
        value: float | int | str | None = None,
        sure: float | None = None,
        fitted: Floats | None = None,
    ) -> Fault:
        """A fault of an annotation; ``field`` such as ``.bbox``, ``part`` a keypoint's name."""
        row = int(row)
        image = int(self.image_row[row])
        key = self.key("annotations", row)
        return Fault(
            place=self.place("annotations", row, field, part),
            key=f"{key}/{plain(part)}" if part else key,
            message=message,
            value=value,
            sure=sure,
            parent=self.key("images", image) if image >= 0 else None,
            row=row,
            fitted=fitted,
        )

    def image_fault(
        self,
        row: int,
        message: str,
        *,
        field: str = "",
        value: float | int | str | None = None,
    ) -> Fault:
        """A fault of an image."""
        return Fault(self.place("images", row, field), self.key("images", row), message, value)

    def category_fault(
        self,
        row: int,
        message: str,
        *,
        field: str = "",
        value: float | int | str | None = None,
    ) -> Fault:
        """A fault of a category."""
        place = self.place("categories", row, field)
        return Fault(place, self.key("categories", row), message, value)

    def file_fault(
        self, message: str, *, place: str = "file", value: float | int | str | None = None
    ) -> Fault:
        """A fault of the file as a whole, or of a named section of it."""
        return Fault(place, place, message, value)
