"""Faults planted one at a time in a clean file: each is found, at its place, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clean import HEIGHT, SPINE, WIDTH, clean, place, swap, write, write_pictures

from spinetrack_synth.skeleton import NAMES
from spinetrack_synth.validation.engine import Report, validate
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import read

Data = dict[str, Any]
Plant = Callable[[Data], None]


def check(path: Path, **options: Any) -> Report:
    """The built-in rules over one file, those of the fitted body aside."""
    rules = [rule for rule in choose(builtin_rules(), (), (), ()) if rule.family != "body"]
    return validate([read(path, **options)], rules)


def found(report: Report) -> list[tuple[str, str]]:
    return [(finding.code, finding.place.partition(" (")[0]) for finding in report.findings]


def set_at(*steps: Any) -> Plant:
    """Set the value at the end of a way through the file."""
    *way, last, value = steps

    def plant(data: Data) -> None:
        target: Any = data
        for step in way:
            target = target[step]
        target[last] = value

    return plant


def delete(*steps: Any) -> Plant:
    *way, last = steps

    def plant(data: Data) -> None:
        target: Any = data
        for step in way:
            target = target[step]
        del target[last]

    return plant


def annotation(name: str, value: Any, row: int = 2) -> Plant:
    return set_at("annotations", row, name, value)


def image(name: str, value: Any, row: int = 1) -> Plant:
    return set_at("images", row, name, value)


def category(name: str, value: Any) -> Plant:
    return set_at("categories", 0, name, value)


def keypoint(name: str, *values: Any, row: int = 2) -> Plant:
    """Set x, y, v of a keypoint; None keeps a number."""

    def plant(data: Data) -> None:
        points = data["annotations"][row]["keypoints"]
        where = place(data, row, name)
        points[where] = [n if n is not None else old for n, old in zip(values, points[where])]

    return plant


def keypoint_by(name: str, dx: float, dy: float, row: int = 2) -> Plant:
    def plant(data: Data) -> None:
        points = data["annotations"][row]["keypoints"]
        start = place(data, row, name).start
        points[start] += dx
        points[start + 1] += dy

    return plant


def both(*plants: Plant) -> Plant:
    def plant(data: Data) -> None:
        for each in plants:
            each(data)

    return plant


def exchange(*pairs: tuple[str, str], row: int = 2) -> Plant:
    return both(*(lambda data, a=a, b=b: swap(data, row, a, b) for a, b in pairs))


def names_exchanged(data: Data) -> None:
    names = data["categories"][0]["keypoints"]
    names[5], names[6] = names[6], names[5]


def one_name_less(data: Data) -> None:
    data["categories"][0]["keypoints"].pop()


def links_from_zero(data: Data) -> None:
    data["categories"][0]["skeleton"] = [
        [a - 1, b - 1] for a, b in data["categories"][0]["skeleton"]
    ]


def polygon(*numbers: float) -> list[list[float]]:
    return [list(numbers)]


def polygon_of_box(data: Data, dx: float = 0.0) -> None:
    """Give an annotation a polygon that fits its box and area."""
    record = data["annotations"][2]
    x, y, w, h = record["bbox"]
    record["segmentation"] = [[x + dx, y, x + w + dx, y, x + w + dx, y + h, x + dx, y + h]]
    record["area"] = w * h


def copied(data: Data) -> None:
    data["annotations"].append(data["annotations"][2] | {"id": 9999})


def mirrored(data: Data) -> None:
    for name in NAMES:
        if name.startswith("left_"):
            stem = name.removeprefix("left_")
            swap(data, 2, f"left_{stem}", f"right_{stem}")


def scale_points(data: Data, factor: float) -> None:
    points = data["annotations"][2]["keypoints"]
    points[:] = [n * factor if at % 3 < 2 else n for at, n in enumerate(points)]


def _change_points(data: Data, change: Callable[[float, float], tuple[float, float]]) -> None:
    """Change the place of every labelled keypoint of an annotation."""
    points = data["annotations"][2]["keypoints"]
    for at in range(0, len(points), 3):
        if points[at + 2]:
            points[at : at + 2] = change(points[at], points[at + 1])


def exchange_axes(data: Data) -> None:
    _change_points(data, lambda x, y: (y, x))


def move_points(data: Data, dx: float, dy: float) -> None:
    _change_points(data, lambda x, y: (x + dx, y + dy))


def shrink_points(data: Data, factor: float) -> None:
    """Draw the keypoints towards the middle of the box, and let no mask tell of it."""
    record = data["annotations"][2]
    del record["segmentation"]
    x0, y0 = (record["bbox"][k] + record["bbox"][k + 2] / 2 for k in (0, 1))
    _change_points(data, lambda x, y: (x0 + factor * (x - x0), y0 + factor * (y - y0)))


def interpolate_spine(data: Data) -> None:
    """Put the spine points at equal steps between the sacrum and the skull."""
    points = data["annotations"][2]["keypoints"]
    first, last = (points[place(data, 2, name)] for name in (SPINE[0], SPINE[-1]))
    for number, name in enumerate(SPINE):
        share = number / (len(SPINE) - 1)
        xy = [round(a * (1 - share) + b * share, 3) for a, b in zip(first[:2], last[:2])]
        points[place(data, 2, name)] = [*xy, 2]


def invert_mask(data: Data) -> None:
    """Run lengths that begin with the person in place of the background."""
    from pycocotools import mask as coco_mask

    segmentation = data["annotations"][2]["segmentation"]
    pixels = 1 - coco_mask.decode(
        {"size": segmentation["size"], "counts": segmentation["counts"].encode()}
    )
    segmentation["counts"] = coco_mask.encode(pixels)["counts"].decode()


def tight_mask_beside(data: Data) -> None:
    """A mask within the person's box that leaves out most of the person."""
    x, y, w, h = (int(n) for n in data["annotations"][2]["bbox"])
    edge = [y + x * HEIGHT, h]  # a column from top to bottom, a bar at the bottom, a column
    counts = [edge[0], h]
    for _ in range(w - 2):
        counts += [HEIGHT - 3, 3]
    counts += [HEIGHT - h, h]
    counts.append(WIDTH * HEIGHT - sum(counts))
    data["annotations"][2]["segmentation"] = {"size": [HEIGHT, WIDTH], "counts": counts}
    data["annotations"][2]["area"] = sum(counts[1::2])


def all_in_one_place(data: Data) -> None:
    points = data["annotations"][2]["keypoints"]
    x, y = points[3 * 26 : 3 * 26 + 2]
    for index in range(37):
        if points[3 * index + 2]:
            points[3 * index : 3 * index + 2] = [x, y]


def twelve_more(data: Data) -> None:
    """Run lengths that cover more pixels than the size says."""
    data["annotations"][2]["segmentation"] = {"size": [HEIGHT, WIDTH], "counts": [100, 200, 12]}


FAULTS: list[tuple[str, Plant, str, str]] = [
    # file
    ("NaN in keypoints", keypoint("left_knee", math.nan, None, None), "SPT004",
     "annotations[2].keypoints[39]"),
    ("Infinity in box", set_at("annotations", 2, "bbox", 0, math.inf), "SPT004",
     "annotations[2].bbox[0]"),
    ("-Infinity in area", annotation("area", -math.inf), "SPT004", "annotations[2].area"),
    ("NaN id", annotation("id", math.nan), "SPT004", "annotations[2].id"),
    ("NaN width", image("width", math.nan), "SPT004", "images[1].width"),
    ("huge whole number", set_at("annotations", 2, "bbox", 2, 10**400), "SPT004",
     "annotations[2].bbox[2]"),
    # schema
    ("info no object", set_at("info", []), "SPT101", "info"),
    ("licenses no list", set_at("licenses", {}), "SPT101", "licenses"),
    ("annotation null", set_at("annotations", 2, None), "SPT102", "annotations[2]"),
    ("licence a text", set_at("licenses", ["CC0"]), "SPT102", "licenses[0]"),
    ("image_id missing", delete("annotations", 2, "image_id"), "SPT103", "annotations[2]"),
    ("area missing", delete("annotations", 2, "area"), "SPT103", "annotations[2]"),
    ("iscrowd missing", delete("annotations", 2, "iscrowd"), "SPT103", "annotations[2]"),
    ("keypoints missing", delete("annotations", 2, "keypoints"), "SPT103", "annotations[2]"),
    ("id missing", delete("annotations", 2, "id"), "SPT103", "annotations[2]"),
    ("bbox missing", delete("annotations", 2, "bbox"), "SPT103", "annotations[2]"),
    ("num_keypoints missing", delete("annotations", 2, "num_keypoints"), "SPT103",
     "annotations[2]"),
    ("category_id missing", delete("annotations", 2, "category_id"), "SPT103", "annotations[2]"),
    ("file_name missing", delete("images", 1, "file_name"), "SPT103", "images[1]"),
    ("width missing", delete("images", 1, "width"), "SPT103", "images[1]"),
    ("image id missing", delete("images", 1, "id"), "SPT103", "images[1]"),
    ("category id missing", delete("categories", 0, "id"), "SPT103", "categories[0]"),
    ("category name missing", delete("categories", 0, "name"), "SPT103", "categories[0]"),
    ("names missing", delete("categories", 0, "keypoints"), "SPT103", "categories"),
    ("id a text", annotation("id", "4713"), "SPT104", "annotations[2].id"),
    ("id a float", annotation("id", 4713.0), "SPT104", "annotations[2].id"),
    ("id true", annotation("id", True), "SPT104", "annotations[2].id"),
    ("image id a text", image("id", "12"), "SPT104", "images[1].id"),
    ("image_id a text", annotation("image_id", "12"), "SPT104", "annotations[2].image_id"),
    ("category_id true", annotation("category_id", True), "SPT104",
     "annotations[2].category_id"),
    ("width a float", image("width", 640.0), "SPT104", "images[1].width"),
    ("height a text", image("height", "480"), "SPT104", "images[1].height"),
    ("file_name a number", image("file_name", 12), "SPT104", "images[1].file_name"),
    ("file_name empty", image("file_name", ""), "SPT104", "images[1].file_name"),
    ("a keypoint a text", keypoint("left_knee", "12", None, None), "SPT104",
     "annotations[2].keypoints[39]"),
    ("a keypoint null", keypoint("left_knee", None, [], None), "SPT104",
     "annotations[2].keypoints[40]"),
    ("keypoints an object", annotation("keypoints", {}), "SPT104", "annotations[2].keypoints"),
    ("box an object", annotation("bbox", {"x": 1}), "SPT104", "annotations[2].bbox"),
    ("a box side a text", set_at("annotations", 2, "bbox", 2, "wide"), "SPT104",
     "annotations[2].bbox[2]"),
    ("area a text", annotation("area", "big"), "SPT104", "annotations[2].area"),
    ("num_keypoints null", annotation("num_keypoints", None), "SPT104",
     "annotations[2].num_keypoints"),
    ("license a text", image("license", "CC0"), "SPT104", "images[1].license"),
    ("keypoints in threes", lambda d: d["annotations"][2].__setitem__("keypoints", [
        d["annotations"][2]["keypoints"][at : at + 3] for at in range(0, 111, 3)]), "SPT104",
     "annotations[2].keypoints[0]"),
    ("one number less", lambda d: d["annotations"][2]["keypoints"].pop(), "SPT105",
     "annotations[2].keypoints"),
    ("one keypoint less", lambda d: d["annotations"][2]["keypoints"].__delitem__(slice(-3, None)),
     "SPT105", "annotations[2].keypoints"),
    ("no keypoints", annotation("keypoints", []), "SPT105", "annotations[2].keypoints"),
    ("names exchanged", names_exchanged, "SPT106", "categories[0].keypoints"),
    ("one name less", one_name_less, "SPT106", "categories[0].keypoints"),
    ("a name twice", set_at("categories", 0, "keypoints", 7, "nose"), "SPT106",
     "categories[0].keypoints"),
    ("another name", set_at("categories", 0, "keypoints", 7, "left_antenna"), "SPT106",
     "categories[0].keypoints"),
    ("names a text", category("keypoints", "nose"), "SPT106", "categories[0].keypoints"),
    ("links from 0", links_from_zero, "SPT107", "categories[0].skeleton"),
    ("link beyond", set_at("categories", 0, "skeleton", 3, [3, 38]), "SPT107",
     "categories[0].skeleton[3]"),
    ("link to itself", set_at("categories", 0, "skeleton", 3, [3, 3]), "SPT107",
     "categories[0].skeleton[3]"),
    ("link no pair", set_at("categories", 0, "skeleton", 3, [1, 2, 3]), "SPT107",
     "categories[0].skeleton[3]"),
    ("a sigma less", lambda d: d["categories"][0]["sigmas"].pop(), "SPT108",
     "categories[0].sigmas"),
    ("sigma 0", set_at("categories", 0, "sigmas", 4, 0), "SPT108", "categories[0].sigmas[4]"),
    ("another sigma", set_at("categories", 0, "sigmas", 0, 0.26), "SPT108",
     "categories[0].sigmas[0]"),
    ("iscrowd 2", annotation("iscrowd", 2), "SPT110", "annotations[2].iscrowd"),
    ("iscrowd true", annotation("iscrowd", True), "SPT110", "annotations[2].iscrowd"),
    ("box of three", lambda d: d["annotations"][2]["bbox"].pop(), "SPT111",
     "annotations[2].bbox"),
    ("width 0", image("width", 0), "SPT112", "images[1].width"),
    ("height negative", image("height", -480), "SPT112", "images[1].height"),
    ("height huge", image("height", 10**30), "SPT112", "images[1].height"),
    ("K of two rows", image("K", [[1, 0, 0], [0, 1, 0]]), "SPT113", "images[1].K"),
    ("mirroring camera", image("world2cam", [[-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0],
     [0, 0, 0, 1]]), "SPT113", "images[1].world2cam"),
    ("K of a smaller picture", image("K", [[900, 0, 900], [0, 900, 240], [0, 0, 1]]), "SPT113",
     "images[1].K"),
    ("K in shares", image("K", [[1.4, 0, 0.5], [0, 1.9, 0.5], [0, 0, 1]]), "SPT113",
     "images[1].K"),
    ("NaN in K", image("K", [[math.nan, 0, 320], [0, 900, 240], [0, 0, 1]]), "SPT004",
     "images[1].K[0][0]"),
    ("an image null", set_at("images", 1, None), "SPT102", "images[1]"),
    ("annotation without anything", set_at("annotations", 2, {}), "SPT103", "annotations[2]"),
    ("category called Person", category("name", "Person"), "SPT109", "categories[0].name"),
    ("a name with a space", set_at("categories", 0, "keypoints", 5, " left_shoulder"), "SPT106",
     "categories[0].keypoints"),
    ("a name in capitals", set_at("categories", 0, "keypoints", 5, "LEFT_SHOULDER"), "SPT106",
     "categories[0].keypoints"),
    ("link across the body", set_at("categories", 0, "skeleton", 3, [6, 9]), "SPT107",
     "categories[0].skeleton[3]"),
    ("links as decimals", lambda d: category("skeleton", [
        [float(a), float(b)] for a, b in d["categories"][0]["skeleton"]])(d), "SPT107",
     "categories[0].skeleton[0]"),
    # identity
    ("annotation id twice", annotation("id", 4711), "SPT201", "annotations[2].id"),
    ("image id twice", image("id", 10), "SPT201", "images[1].id"),
    ("licences lost", delete("licenses"), "SPT204", "licenses"),
    ("image unknown", annotation("image_id", 999), "SPT202", "annotations[2].image_id"),
    ("category unknown", annotation("category_id", 7), "SPT203", "annotations[2].category_id"),
    ("licence unknown", image("license", 9), "SPT204", "images[1].license"),
    ("file name twice", image("file_name", "000000.png"), "SPT205", "images[1].file_name"),
    ("file name differs by case", image("file_name", "000000.PNG"), "SPT205",
     "images[1].file_name"),
    ("path leaves the folder", image("file_name", "../1.png"), "SPT206", "images[1].file_name"),
    ("absolute path", image("file_name", "/data/1.png"), "SPT206", "images[1].file_name"),
    ("drive letter", image("file_name", "C:\\data\\1.png"), "SPT206", "images[1].file_name"),
    ("line break in name", image("file_name", "a\nb.png"), "SPT206", "images[1].file_name"),
    ("image without people", lambda d: d["images"].append(
        d["images"][0] | {"id": 99, "file_name": "z.png"}), "SPT208", "images"),
    ("category twice", lambda d: d["categories"].append(d["categories"][0] | {"id": 2}),
     "SPT207", "categories[1].name"),
    ("annotation id 0", annotation("id", 0), "SPT209", "annotations[2].id"),
    ("annotation id negative", annotation("id", -4), "SPT209", "annotations[2].id"),
    ("annotation id beyond doubles", annotation("id", 2**53 + 1), "SPT210", "annotations[2].id"),
    ("file name no picture", image("file_name", "000002.txt"), "SPT211", "images[1].file_name"),
    ("file name a folder", image("file_name", "train/"), "SPT211", "images[1].file_name"),
    ("licence null", image("license", None), "SPT903", "images[1].license"),
    # geometry
    ("box negative", set_at("annotations", 2, "bbox", 2, -50), "SPT301", "annotations[2].bbox"),
    ("box flat", set_at("annotations", 2, "bbox", 3, 0), "SPT301", "annotations[2].bbox"),
    ("box outside", set_at("annotations", 2, "bbox", 0, 600), "SPT302", "annotations[2].bbox"),
    ("box far outside", annotation("bbox", [1e12, 1e12, 10, 10]), "SPT302",
     "annotations[2].bbox"),
    ("area 0", annotation("area", 0), "SPT303", "annotations[2].area"),
    ("area negative", annotation("area", -5000), "SPT303", "annotations[2].area"),
    ("area beyond box", both(delete("annotations", 2, "segmentation"), annotation("area", 3e5)),
     "SPT304", "annotations[2].area"),
    ("point outside image", keypoint("left_wrist", 700, None, None), "SPT306",
     "annotations[2].keypoints[27]"),
    ("point negative", keypoint("left_wrist", -30, None, None), "SPT306",
     "annotations[2].keypoints[27]"),
    ("point at 1e300", keypoint("left_wrist", 1e300, None, None), "SPT306",
     "annotations[2].keypoints[27]"),
    ("point outside box", keypoint("left_wrist", 600, None, None), "SPT307",
     "annotations[2].keypoints[27]"),
    ("area in thousandths", both(delete("annotations", 2, "segmentation"),
     annotation("area", 0.3)), "SPT304", "annotations[2].area"),
    ("image smaller than its people", both(
        *(delete("annotations", row, "segmentation") for row in range(6)),
        image("width", 320), image("height", 240)), "SPT305", "images[1]"),
    ("points twice as far", lambda d: scale_points(d, 2.0), "SPT311",
     "annotations[2].keypoints"),
    ("points in shares of the image", lambda d: scale_points(d, 1 / 640), "SPT311",
     "annotations[2].keypoints"),
    ("box of somebody else", both(delete("annotations", 2, "segmentation"),
     annotation("bbox", [420, 20, 200, 440])), "SPT308", "annotations[2].bbox"),
    ("all points in one place", all_in_one_place, "SPT309", "annotations[2].keypoints"),
    ("knees coincide", lambda d: d["annotations"][2]["keypoints"].__setitem__(
        place(d, 2, "right_knee"), d["annotations"][2]["keypoints"][place(d, 2, "left_knee")]),
     "SPT310", "annotations[2].keypoints[42]"),
    # masks
    ("mask a number", annotation("segmentation", 5), "SPT321", "annotations[2].segmentation"),
    ("mask null", annotation("segmentation", None), "SPT321", "annotations[2].segmentation"),
    ("polygon of five numbers", annotation("segmentation", polygon(1, 2, 3, 4, 5)), "SPT321",
     "annotations[2].segmentation"),
    ("polygon of two corners", annotation("segmentation", polygon(1, 2, 3, 4)), "SPT321",
     "annotations[2].segmentation"),
    ("polygon of texts", annotation("segmentation", [["a", 2, 3, 4, 5, 6]]), "SPT321",
     "annotations[2].segmentation"),
    ("mask without counts", delete("annotations", 2, "segmentation", "counts"), "SPT321",
     "annotations[2].segmentation"),
    ("mask without size", delete("annotations", 2, "segmentation", "size"), "SPT321",
     "annotations[2].segmentation"),
    ("run lengths too short", twelve_more, "SPT321", "annotations[2].segmentation"),
    ("counts no run lengths", set_at("annotations", 2, "segmentation", "counts", "~~~"),
     "SPT321", "annotations[2].segmentation"),
    ("mask of another size", set_at("annotations", 2, "segmentation",
     {"size": [100, 100], "counts": [5000, 100, 4900]}), "SPT322",
     "annotations[2].segmentation.size"),
    ("record of another size", both(image("width", 320), image("height", 240)), "SPT322",
     "images[1]"),
    ("polygon outside", lambda d: polygon_of_box(d, 500), "SPT323",
     "annotations[2].segmentation"),
    ("box beside mask", lambda d: d["annotations"][2]["bbox"].__setitem__(
        0, d["annotations"][2]["bbox"][0] + 40), "SPT324", "annotations[2].bbox"),
    ("box of the neighbour", lambda d: d["annotations"][2].__setitem__(
        "bbox", d["annotations"][3]["bbox"]), "SPT324", "annotations[2].bbox"),
    ("box as corners", lambda d: d["annotations"][2].__setitem__(
        "bbox", [d["annotations"][2]["bbox"][0], d["annotations"][2]["bbox"][1],
                 d["annotations"][2]["bbox"][0] + d["annotations"][2]["bbox"][2],
                 d["annotations"][2]["bbox"][1] + d["annotations"][2]["bbox"][3] - 60]),
     "SPT324", "annotations[2].bbox"),
    ("area doubled", lambda d: d["annotations"][2].__setitem__(
        "area", 2 * d["annotations"][2]["area"]), "SPT325", "annotations[2].area"),
    ("area of the box", lambda d: d["annotations"][2].__setitem__(
        "area", d["annotations"][2]["bbox"][2] * d["annotations"][2]["bbox"][3]), "SPT325",
     "annotations[2].area"),
    ("points beside the mask", lambda d: tight_mask_beside(d), "SPT326",
     "annotations[2].segmentation"),
    ("mask empty", annotation("segmentation", []), "SPT321", "annotations[2].segmentation"),
    ("mask of the neighbour", lambda d: d["annotations"][2].__setitem__(
        "segmentation", d["annotations"][3]["segmentation"]), "SPT329",
     "annotations[2].segmentation"),
    ("mask inverted", lambda d: invert_mask(d), "SPT328", "annotations[2].segmentation"),
    ("mask is the box", lambda d: polygon_of_box(d), "SPT327", "annotations[2].segmentation"),
    ("record of half the size", both(*(delete("annotations", row, "segmentation")
     for row in (3,)), image("width", 320), image("height", 240)), "SPT322", "images[1]"),
    # visibility
    ("v 3", keypoint("left_knee", None, None, 3), "SPT351", "annotations[2].keypoints[39]"),
    ("v -1", keypoint("left_knee", None, None, -1), "SPT351", "annotations[2].keypoints[39]"),
    ("v 0.87", keypoint("left_knee", None, None, 0.87), "SPT351",
     "annotations[2].keypoints[39]"),
    ("v 0 with a place", keypoint("left_knee", None, None, 0), "SPT352",
     "annotations[2].keypoints[39]"),
    ("every v lost", lambda d: [d["annotations"][2]["keypoints"].__setitem__(at, 0)
     for at in range(2, 111, 3)], "SPT352", "annotations[2].keypoints[0]"),
    ("absent point with a place", keypoint("right_latissimus", 100, 200, 0), "SPT352",
     "annotations[2].keypoints[96]"),
    ("num_keypoints off", annotation("num_keypoints", 37), "SPT353",
     "annotations[2].num_keypoints"),
    ("num_keypoints 0", annotation("num_keypoints", 0), "SPT353",
     "annotations[2].num_keypoints"),
    ("point gone", keypoint("left_knee", 0, 0, 0), "SPT353", "annotations[2].num_keypoints"),
    ("labelled at the origin", keypoint("left_knee", 0, 0, 2), "SPT355",
     "annotations[2].keypoints[39]"),
    ("absent point labelled", keypoint("right_latissimus", 0, 0, 1), "SPT355",
     "annotations[2].keypoints[96]"),
    ("crowd with keypoints", annotation("iscrowd", 1), "SPT354", "annotations[2].iscrowd"),
    # the whole of a person's coordinates
    ("points with x and y exchanged", lambda d: exchange_axes(d), "SPT311",
     "annotations[2].keypoints"),
    ("points from the box's corner", both(delete("annotations", 2, "segmentation"),
     lambda d: move_points(d, -d["annotations"][2]["bbox"][0], -d["annotations"][2]["bbox"][1])),
     "SPT311", "annotations[2].keypoints"),
    ("points of a picture of a quarter the size", both(
        *(delete("annotations", row, "segmentation") for row in range(6)),
        lambda d: scale_points(d, 0.25)), "SPT311", "annotations[2].keypoints"),
    ("points shrunk", lambda d: shrink_points(d, 0.3), "SPT312", "annotations[2].keypoints"),
    ("labels of another picture", lambda d: d["annotations"][2].update(
        keypoints=d["annotations"][0]["keypoints"]), "SPT704", "annotations[2].keypoints"),
    ("v lost and found as confidence", lambda d: [d["annotations"][2]["keypoints"].__setitem__(
        at, 0.9) for at in range(2, 111, 3)], "SPT351", "annotations[2].keypoints[0]"),
    ("v before x", lambda d: d["annotations"][2].__setitem__("keypoints", [
        n for at in range(0, 111, 3) for n in (
            d["annotations"][2]["keypoints"][at + 2], *d["annotations"][2]["keypoints"][at:at + 2]
        )]), "SPT351", "annotations[2].keypoints[0]"),
    # left and right
    ("eyes exchanged", exchange(("left_eye", "right_eye")), "SPT501",
     "annotations[2].keypoints"),
    ("ears exchanged", exchange(("left_ear", "right_ear")), "SPT501",
     "annotations[2].keypoints"),
    ("shoulders exchanged", exchange(("left_shoulder", "right_shoulder")), "SPT502",
     "annotations[2].keypoints"),
    ("hips exchanged", exchange(("left_hip", "right_hip")), "SPT502",
     "annotations[2].keypoints"),
    ("ankles exchanged", exchange(("left_ankle", "right_ankle")), "SPT503",
     "annotations[2].keypoints"),
    ("big toes exchanged", exchange(("left_big_toe", "right_big_toe")), "SPT503",
     "annotations[2].keypoints"),
    ("legs exchanged, feet not", exchange(*(
        (f"left_{joint}", f"right_{joint}") for joint in ("hip", "knee", "ankle"))), "SPT502",
     "annotations[2].keypoints"),
    ("whole person mirrored", mirrored, "SPT504", "annotations[2].keypoints"),
    # spine
    ("spine points exchanged", exchange(("spine_02", "spine_03")), "SPT521",
     "annotations[2].keypoints"),
    ("far spine points exchanged", exchange(("spine_01", "neck")), "SPT521",
     "annotations[2].keypoints"),
    ("spine upside down", exchange(*zip(SPINE[:4], SPINE[:4:-1])), "SPT521",
     "annotations[2].keypoints"),
    ("spine point beside the back", keypoint_by("spine_04", 25, 0), "SPT522",
     "annotations[2].keypoints"),
    ("neck point beside the neck", keypoint_by("neck_02", -18, 0), "SPT522",
     "annotations[2].keypoints"),
    ("sacrum too low", keypoint_by("hip", 0, 14), "SPT523", "annotations[2].keypoints"),
    ("wrist far away", keypoint_by("left_wrist", 0, 190), "SPT525", "annotations[2].keypoints"),
    ("spine interpolated", lambda d: interpolate_spine(d), "SPT526",
     "annotations[2].keypoints"),
    ("sacrum and first spine point exchanged", exchange(("hip", "spine_01")), "SPT521",
     "annotations[2].keypoints"),
    # duplicates
    ("person twice", copied, "SPT701", "annotations[6]"),
    # metadata
    ("no description", delete("info", "description"), "SPT901", "info.description"),
    ("no info", delete("info"), "SPT901", "info.description"),
    ("one image without licence", delete("images", 1, "license"), "SPT903",
     "images[1].license"),
    ("date the German way", image("date_captured", "17.05.2024"), "SPT907",
     "images[1].date_captured"),
    ("no such day", image("date_captured", "2024-02-30"), "SPT907", "images[1].date_captured"),
    ("date a number", set_at("info", "date_created", 20240518), "SPT907", "info.date_created"),
    ("created in the future", set_at("info", "date_created", "2999-01-01"), "SPT907",
     "info.date_created"),
    ("year a text", set_at("info", "year", "2024"), "SPT907", "info.year"),
    ("licence without address", set_at("licenses", 0, "url", "see the web"), "SPT908",
     "licenses[0].url"),
]  # fmt: skip


def test_the_clean_file_gives_nothing(tmp_path: Path) -> None:
    assert found(check(write(tmp_path / "clean.json", clean()))) == []


@pytest.mark.parametrize(
    ("plant", "code", "where"),
    [pytest.param(*fault[1:], id=fault[0]) for fault in FAULTS],
)
def test_a_planted_fault_is_found_alone_and_in_its_place(
    tmp_path: Path, plant: Plant, code: str, where: str
) -> None:
    data = clean()
    plant(data)
    assert found(check(write(tmp_path / "a.json", data))) == [(code, where)]


@pytest.mark.parametrize("section", ["images", "annotations", "categories"])
@pytest.mark.parametrize("how", ["missing", "no list", "empty"])
def test_a_lost_section_is_one_finding(tmp_path: Path, section: str, how: str) -> None:
    data = clean()
    data[section] = [] if how == "empty" else {}
    if how == "missing":
        del data[section]
    report = check(write(tmp_path / "a.json", data))
    assert found(report) == [("SPT101", section)]


def test_a_place_names_id_and_image(tmp_path: Path) -> None:
    data = clean()
    annotation("num_keypoints", 3)(data)
    (finding,) = check(write(tmp_path / "a.json", data)).findings
    assert finding.place == "annotations[2].num_keypoints (id 4713, image 000002.png)"
    assert finding.key == "annotation:4713"
    assert finding.message == "3, but 36 keypoints have v > 0"


@pytest.mark.parametrize(
    ("content", "code", "where"),
    [
        (b"{text}", "", ""),
        (b"\xef\xbb\xbf{text}", "SPT002", "file"),
        ("utf-16", "SPT001", "file"),
        ("utf-16-le", "SPT001", "file"),
        ("utf-32", "SPT001", "file"),
        ("latin-1", "SPT001", "file"),
    ],
)
def test_encodings(tmp_path: Path, content: bytes | str, code: str, where: str) -> None:
    data = clean()
    data["info"]["description"] = "people who stånd"
    text = json.dumps(data, ensure_ascii=False)
    encoded = (
        text.encode(content)
        if isinstance(content, str)
        else content.replace(b"{text}", text.encode())
    )
    path = tmp_path / "a.json"
    path.write_bytes(encoded)
    assert found(check(path)) == ([(code, where)] if code else [])


def test_a_key_that_stands_twice_is_placed(tmp_path: Path) -> None:
    text = json.dumps(clean()).replace('"iscrowd": 0', '"iscrowd": 0, "iscrowd": 0', 1)
    path = tmp_path / "a.json"
    path.write_text(text)
    assert found(check(path)) == [("SPT003", "annotations[0]")]


def test_a_number_beyond_every_float_is_placed(tmp_path: Path) -> None:
    text = json.dumps(clean()).replace('"area": ', '"area": 1e999, "was": ', 1)
    path = tmp_path / "a.json"
    path.write_text(text)
    assert found(check(path)) == [("SPT004", "annotations[0].area")]


PICTURE_FAULTS: list[tuple[str, Callable[[Path, Data], None], str, str]] = [
    ("missing", lambda folder, data: (folder / "000002.png").unlink(), "SPT601",
     "images[1].file_name"),
    ("cut off", lambda folder, data: (folder / "000002.png").write_bytes(
        (folder / "000002.png").read_bytes()[:2000]), "SPT602", "images[1]"),
    ("empty", lambda folder, data: (folder / "000002.png").write_bytes(b""), "SPT602",
     "images[1]"),
    ("text", lambda folder, data: (folder / "000002.png").write_text("404 not found"), "SPT602",
     "images[1]"),
    ("another size", lambda folder, data: repaint(folder / "000002.png", size=(320, 240)),
     "SPT603", "images[1]"),
    ("record of another size", lambda folder, data: data["images"][1].update(width=600),
     "SPT603", "images[1]"),
    ("turned by EXIF", lambda folder, data: repaint(folder / "000002.png", orientation=6),
     "SPT604", "images[1]"),
    ("JPEG called png", lambda folder, data: repaint(folder / "000002.png", format="JPEG"),
     "SPT605", "images[1].file_name"),
    ("black", lambda folder, data: repaint(folder / "000002.png", black=True), "SPT606",
     "images[1]"),
    ("unlisted", lambda folder, data: repaint(folder / "000002.png", to=folder / "extra.png"),
     "SPT607", "images"),
    ("same bytes", lambda folder, data: (folder / "000002.png").write_bytes(
        (folder / "000000.png").read_bytes()), "SPT702", "images[1]"),
    ("encoded again", lambda folder, data: repaint(
        folder / "000000.png", to=folder / "000002.png", format="PNG", noise=2), "SPT703",
     "images[1]"),
    ("path outside", lambda folder, data: data["images"][1].update(file_name="../000002.png"),
     "SPT206", "images[1].file_name"),
]  # fmt: skip


def repaint(
    path: Path,
    *,
    to: Path | None = None,
    size: tuple[int, int] | None = None,
    orientation: int | None = None,
    format: str = "PNG",
    black: bool = False,
    noise: int = 0,
) -> None:
    """Write a picture again, changed."""
    from PIL import Image

    picture = Image.open(path).convert("RGB")
    picture.load()
    if size:
        picture = picture.resize(size)
    if black:
        picture = Image.new("RGB", picture.size)
    if noise:
        picture = picture.point(lambda level: min(level + noise, 255))
    exif = picture.getexif()
    if orientation:
        exif[0x0112] = orientation
    picture.save(to or path, format, exif=exif)


def test_clean_pictures_give_nothing(tmp_path: Path) -> None:
    data = clean()
    folder = write_pictures(tmp_path / "pictures", data)
    assert found(check(write(tmp_path / "a.json", data), pictures=folder)) == []


@pytest.mark.parametrize(
    ("plant", "code", "where"),
    [pytest.param(*fault[1:], id=fault[0]) for fault in PICTURE_FAULTS],
)
def test_a_fault_of_a_picture_is_found_alone(
    tmp_path: Path, plant: Callable[[Path, Data], None], code: str, where: str
) -> None:
    data = clean()
    folder = write_pictures(tmp_path / "pictures", data)
    plant(folder, data)
    report = check(write(tmp_path / "a.json", data), pictures=folder)
    extra = {("SPT607", "images")} if code in ("SPT206",) else set()
    assert set(found(report)) - extra == {(code, where)}


def test_pictures_that_are_all_missing_are_one_finding(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = check(write(tmp_path / "a.json", clean()), pictures=tmp_path / "empty")
    assert found(report) == [("SPT601", "images")]


def with_skeleton(names: list[str]) -> Data:
    """The clean people with the first of their keypoints, under other names."""
    data = clean()
    count = len(names)
    data["categories"] = [
        {"id": 1, "name": "person", "keypoints": names, "skeleton": [[1, 2], [2, 3]]}
    ]
    for record in data["annotations"]:
        record["keypoints"] = record["keypoints"][: 3 * count]
        record["num_keypoints"] = sum(v > 0 for v in record["keypoints"][2::3])
    return data


CAMEL = ["Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow",
         "LWrist", "RWrist", "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle", "Head", "Neck",
         "Hip", "LBigToe", "RBigToe", "LSmallToe", "RSmallToe", "LHeel", "RHeel"]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (list(NAMES[:17]), "COCO-17"),
        (list(NAMES[:26]), "Halpe-26"),
        (CAMEL, "Halpe-26"),
        ([name.replace("_", " ").title() for name in NAMES[:17]], "COCO-17"),
        ([f"whisker {number}" for number in range(12)], "12 keypoints"),
    ],
)
def test_other_skeletons_are_read_and_rules_of_the_spine_skipped(
    tmp_path: Path, names: list[str], title: str
) -> None:
    data = with_skeleton(names)
    report = check(write(tmp_path / "a.json", data))
    assert found(report) == []
    assert report.datasets[0].skeleton == title
    skipped = {skip.rule.code for skip in report.skipped}
    assert {"SPT521", "SPT522", "SPT523", "SPT524"} <= skipped
    data["annotations"][1]["num_keypoints"] = 1
    report = check(write(tmp_path / "b.json", data))
    assert found(report) == [("SPT353", "annotations[1].num_keypoints")]


def test_sides_are_checked_on_coco_17_too(tmp_path: Path) -> None:
    data = with_skeleton(list(NAMES[:17]))
    swap(data, 2, "left_shoulder", "right_shoulder")
    assert found(check(write(tmp_path / "a.json", data))) == [
        ("SPT502", "annotations[2].keypoints")
    ]


def test_exchanged_names_are_found_in_other_skeletons(tmp_path: Path) -> None:
    names = list(NAMES[:17])
    names[5], names[6] = names[6], names[5]
    report = check(write(tmp_path / "a.json", with_skeleton(names)))
    assert found(report) == [("SPT106", "categories[0].keypoints")]
    assert "COCO-17 has left_shoulder there" in report.findings[0].message


def test_several_categories_have_several_skeletons(tmp_path: Path) -> None:
    data = clean()
    data["categories"].append({"id": 2, "name": "cup"})
    data["categories"].append({"id": 3, "name": "cat", "keypoints": ["nose", "tail"]})
    image = data["images"][0]["id"]
    box = {"bbox": [10, 10, 50, 50], "area": 2000, "iscrowd": 0}
    data["annotations"].append({"id": 1, "image_id": image, "category_id": 2, **box})
    data["annotations"].append({"id": 2, "image_id": image, "category_id": 3, **box,
                                "keypoints": [20, 20, 2, 50, 50, 2],
                                "num_keypoints": 2})  # fmt: skip
    assert found(check(write(tmp_path / "a.json", data))) == []
    data["annotations"][-1]["keypoints"][3] = 630
    (finding,) = check(write(tmp_path / "b.json", data)).findings
    assert finding.message.startswith("tail visible, but 570 px outside the box")
