"""Splits without leakage."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run, contents
from hypothesis import given, settings
from hypothesis import strategies as st
from small_datasets import read, write_dataset

from spinetrack_synth.curation.splitting import assign, groups_of, split_dataset
from spinetrack_synth.errors import UserError

PARTS = {"train": 0.6, "val": 0.2, "test": 0.2}

TIES = st.lists(st.lists(st.integers(0, 30), max_size=3), min_size=1, max_size=60)


def reachable(ties: list[list[int]], start: int) -> set[int]:
    """The pictures that hang together with one, by walking from tie to tie."""
    found, waiting = {start}, [start]
    while waiting:
        here = set(ties[waiting.pop()])
        new = {k for k, tie in enumerate(ties) if here & set(tie)} - found
        found |= new
        waiting += new
    return found


@settings(max_examples=30)
@given(TIES)
def test_groups_are_what_can_be_reached(ties: list[list[int]]) -> None:
    groups = groups_of(ties)
    for start in range(len(ties)):
        assert set(np.flatnonzero(groups == groups[start])) == reachable(ties, start)


@settings(max_examples=30)
@given(TIES, st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 5))
def test_a_group_is_in_one_part_and_no_part_is_empty_without_need(
    ties: list[list[int]], weights: list[int], seed: int
) -> None:
    groups = groups_of(ties)
    shares = [weight / sum(weights) for weight in weights]
    parts = assign(groups, shares, seed)
    assert parts.shape == groups.shape
    for group in np.unique(groups):
        assert len(np.unique(parts[groups == group])) == 1
    assert len(np.unique(parts)) == min(len(shares), len(np.unique(groups)))
    np.testing.assert_array_equal(parts, assign(groups, shares, seed))


@settings(max_examples=30)
@given(st.integers(10, 200), st.integers(0, 5))
def test_shares_are_met_to_a_picture_where_nothing_binds(count: int, seed: int) -> None:
    parts = assign(np.arange(count), [0.7, 0.2, 0.1], seed)
    got = np.bincount(parts, minlength=3)
    assert np.abs(got - count * np.array([0.7, 0.2, 0.1])).max() <= 1


def test_another_seed_is_another_split() -> None:
    splits = {tuple(assign(np.arange(30), [0.5, 0.5], seed)) for seed in range(5)}
    assert len(splits) == 5


def films(folder: Path) -> Path:
    """24 pictures of 8 clips; clips 0 and 1, and 2 and 3, share a person."""
    pictures = [{"sequence": n // 3, "scene": f"place {n % 2}"} for n in range(24)]
    people = [[{"subject": f"s{max(n // 3, 0)}"}, {"subject": f"x{n // 6 if n < 12 else n}"}]
              for n in range(24)]  # fmt: skip
    return write_dataset(folder, pictures, people=people)


def held(path: Path) -> dict[str, Any]:
    return {image["file_name"]: image for image in read(path)["images"]}


def test_every_picture_is_in_one_part_as_it_was(tmp_path: Path) -> None:
    source = films(tmp_path / "in")
    told, remarks = split_dataset(source, PARTS, ("subject", "sequence"), tmp_path / "out", seed=3)
    assert remarks == []
    assert sum(part.pictures for part in told) == 24
    before = read(source)
    by_name = {image["id"]: image["file_name"] for image in before["images"]}
    points = {(by_name[a["image_id"]], *a["keypoints"]) for a in before["annotations"]}
    sequences: dict[int, set[str]] = {}
    for part in told:
        data = read(tmp_path / f"out/annotations/person_keypoints_{part.name}.json")
        assert part.pictures == len(data["images"]) and part.people == len(data["annotations"])
        assert data["info"] == before["info"] and data["licenses"] == before["licenses"]
        names = {image["id"]: image["file_name"] for image in data["images"]}
        for image in data["images"]:
            sequences.setdefault(image["sequence"], set()).add(part.name)
            picture = tmp_path / "out/images" / part.name / image["file_name"]
            assert picture.samefile(tmp_path / "in/images/train" / image["file_name"])
        for annotation in data["annotations"]:
            points.remove((names[annotation["image_id"]], *annotation["keypoints"]))
    assert points == set()
    assert all(len(parts) == 1 for parts in sequences.values())
    assert sequences[0] == sequences[1] and sequences[2] == sequences[3]


def test_no_part_shares_what_it_may_not(tmp_path: Path) -> None:
    source = films(tmp_path / "in")
    split_dataset(source, {"a": 0.5, "b": 0.5}, ("scene",), tmp_path / "out")
    scenes = [
        {image["scene"] for image in held(tmp_path / f"out/annotations/{name}").values()}
        for name in ("person_keypoints_a.json", "person_keypoints_b.json")
    ]
    assert scenes in ([{"place 0"}, {"place 1"}], [{"place 1"}, {"place 0"}])


def test_a_field_of_ones_own_and_views_of_a_moment(tmp_path: Path) -> None:
    pictures = [{"moment": n // 2, "camera_roll": f"r{n % 4 // 2}"} for n in range(12)]
    source = write_dataset(tmp_path / "in", pictures)
    told, _ = split_dataset(source, {"a": 0.5, "b": 0.5}, ("camera_roll",), tmp_path / "x")
    assert [part.groups for part in told] == [1, 1]
    told, _ = split_dataset(source, {"a": 0.5, "b": 0.5}, ("sequence",), tmp_path / "y")
    assert [(part.groups, part.pictures) for part in told] == [(3, 6), (3, 6)]
    with pytest.raises(UserError, match="--by: no picture and no person has a field hat"):
        split_dataset(source, {"a": 0.5, "b": 0.5}, ("hat",), tmp_path / "z")
    assert not (tmp_path / "z").exists()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    source = films(tmp_path / "in")
    for name in ("x", "y"):
        split_dataset(source, PARTS, ("sequence",), tmp_path / name, seed=1)
    assert contents(tmp_path / "x") == contents(tmp_path / "y")


def test_what_the_command_tells(tmp_path: Path, run: Run) -> None:
    source = films(tmp_path / "in")
    parts = "train:0.75,val:0.25"
    code, out, err = run("split", source, "--parts", parts, "--out", tmp_path / "out", "--by", "a")
    assert (code, out) == (2, "") and "has a field a" in err and err.count("\n") == 1
    code, out, err = run("split", source, "--parts", parts, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "train: 0.750 of the pictures (asked 0.75): 18 pictures, 36 people" in out
    counted = Counter(path.parent.name for path in (tmp_path / "out/images").rglob("*.png"))
    assert counted == {"train": 18, "val": 6}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--parts", "train:0.8,val:0.1"), "the shares add up to 0.9, expected 1"),
        (("--parts", "train:1.5,val:-0.5"), "train:1.5: expected a share above 0"),
        (("--parts", "a/b:1"), "'a/b' is no name for a part"),
        (("--parts", "train"), "'train' is no part such as train:0.8"),
        (("--parts", "a:0.5,a:0.5"), "'a' is named twice"),
        (("--by", "file"), "has a field file"),
    ],
)
def test_bad_options_are_one_line(
    options: tuple[str, str], told: str, tmp_path: Path, run: Run
) -> None:
    source = write_dataset(tmp_path / "in", [{}, {}])
    code, out, err = run("split", source, *options, "--out", tmp_path / "out")
    assert (code, out) == (2, "") and told in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_what_hangs_together_cannot_be_split(tmp_path: Path) -> None:
    source = write_dataset(tmp_path / "in", [{"scene": "yoga"}] * 4)
    with pytest.raises(UserError, match="all pictures hang together by scene: too few for 3"):
        split_dataset(source, PARTS, ("scene",), tmp_path / "out")
    assert not (tmp_path / "out").exists()
