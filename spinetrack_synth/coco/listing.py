"""The pictures of a COCO file, with or without the boxes of their people: what a network needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.categories import is_human
from spinetrack_synth.coco.document import Floats
from spinetrack_synth.coco.parsing import check_objects, read_json
from spinetrack_synth.coco.picture_paths import PictureNames
from spinetrack_synth.coco.values import is_crowd, is_id
from spinetrack_synth.errors import PictureError, UserError


def recorded_size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height that a dataset's record of a picture tells; None where it does not."""
    sides = image.get("width"), image.get("height")
    if not all(isinstance(side, int | float) and 1 <= side < 2**31 for side in sides):
        return None
    return int(sides[0]), int(sides[1])  # type: ignore[arg-type]


@dataclass(frozen=True)
class Listed:
    """A picture as a COCO file lists it: its name and id there, and its size where it is told.

    Its people, where they were asked for: boxes (P, 4), and for each the ``image_id``,
    ``category_id`` and ``annotation_id`` that a result of it carries.
    """

    file_name: str
    image_id: int
    size_wh: tuple[int, int] | None
    boxes_xywh: Floats
    links: tuple[Mapping[str, int], ...]

    def rows(self, rows: NDArray[np.intp]) -> Listed:
        """The same picture with some of its people."""
        links = tuple(self.links[row] for row in rows)
        return replace(self, boxes_xywh=self.boxes_xywh[rows], links=links)


@dataclass(frozen=True)
class Listing:
    """The pictures of a COCO file by name; ``with_boxes`` where it also tells the people's boxes.

    ``category_id`` is what the file calls people.
    """

    path: Path
    pictures: Mapping[str, Listed]
    category_id: int
    with_boxes: bool

    @cached_property
    def _names(self) -> PictureNames:
        return PictureNames(self.pictures)

    def find(self, picture: Path) -> Listed:
        """The file's record of a picture; raises PictureError where it has none or several."""
        fitting = self._names.fitting(picture.absolute().as_posix())
        if len(fitting) != 1:
            found = "no picture" if not fitting else f"{len(fitting)} pictures"
            raise PictureError(f"{self.path}: {found} named {picture.name}")
        return self.pictures[fitting[0]]


def read_boxes(path: Path) -> Listing:
    """Read the pictures and the people's boxes of a COCO file, with or without keypoints; crowds
    are left out."""
    return _read_listing(Path(path), with_boxes=True)


def read_pictures(path: Path) -> Listing:
    """Read the names, ids and sizes of the pictures of a COCO file; it may lack annotations."""
    return _read_listing(Path(path), with_boxes=False)


def _read_listing(path: Path, *, with_boxes: bool) -> Listing:
    data = read_json(path)
    needed = ("images", "annotations") if with_boxes else ("images",)
    if not isinstance(data, dict) or not all(isinstance(data.get(n), list) for n in needed):
        lists = f"lists named {' and '.join(needed)}" if with_boxes else "a list named images"
        raise UserError(f"{path}: no COCO file: expected {lists}")
    for section in (*needed, "categories"):
        check_objects(data.get(section) or [], f"{path}: {section}")
    annotations = data["annotations"] if with_boxes else []
    people = _people_categories(data.get("categories") or [], annotations, path)
    images: dict[int, Any] = {}
    for place, image in enumerate(data["images"]):
        if not isinstance(image.get("id"), int):
            raise UserError(
                f"{path}: images[{place}].id: {image.get('id')!r}, expected a whole number"
            )
        images[image["id"]] = image
    people_of: dict[str, list[Any]] = {str(image.get("file_name")): [] for image in images.values()}
    for place, annotation in enumerate(annotations):
        if annotation.get("category_id", people[0]) not in people or is_crowd(
            annotation.get("iscrowd")
        ):
            continue
        image_id = annotation.get("image_id")
        if not isinstance(image_id, int) or image_id not in images:
            raise UserError(
                f"{path}: annotations[{place}].image_id: {image_id!r} is no image of this file"
            )
        _check_box(annotation.get("bbox"), f"{path}: annotations[{place}].bbox")
        people_of[str(images[image_id].get("file_name"))].append(annotation)
    pictures = {
        str(image.get("file_name")): _listed(
            image, people_of[str(image.get("file_name"))], people[0]
        )
        for image in images.values()
    }
    return Listing(path, pictures, people[0], with_boxes)


def _people_categories(categories: list[Any], annotations: list[Any], path: Path) -> list[Any]:
    """The ids of the categories of people: those with keypoints or called person, else those whose
    names say as much, else the only one that annotations have; where no category is told, COCO's
    number. Raises UserError where there are several of which none says so."""

    def named(person: Callable[[Any], bool]) -> list[Any]:
        return [c.get("id", 1) for c in categories if "keypoints" in c or person(c.get("name"))]

    people = named(lambda name: str(name).casefold() == "person") or named(is_human)
    if people:
        return people
    used = list(dict.fromkeys(a["category_id"] for a in annotations if is_id(a.get("category_id"))))
    if not categories and 1 in used:
        return [1]
    if len(used) > 1:
        names = ", ".join(str(category.get("name")) for category in categories[:5])
        raise UserError(
            f"{path}: categories: none of {names or used} is called person, and annotations have "
            f"{len(used)} of them; call that of the people so"
        )
    return used or [1]


def _check_box(box: Any, place: str) -> None:
    try:
        sound = np.isfinite(np.array(box, np.float64)).sum() == 4
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise UserError(f"{place}: {box!r}, expected x, y, width, height")


def _listed(image: Mapping[str, Any], people: list[Any], category_id: int) -> Listed:
    links = []
    for person in people:
        link = {"image_id": person["image_id"], "category_id": category_id}
        link |= {"category_id": person["category_id"]} if "category_id" in person else {}
        links.append(link | ({"annotation_id": person["id"]} if "id" in person else {}))
    return Listed(
        file_name=str(image.get("file_name")),
        image_id=image["id"],
        size_wh=recorded_size(image),
        boxes_xywh=np.array([person["bbox"] for person in people], np.float64).reshape(-1, 4),
        links=tuple(links),
    )
