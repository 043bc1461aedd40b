"""Configuration files are read by the types of dataclasses, and every mistake has its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.typed_toml import first_difference, read_toml


@dataclass(frozen=True)
class Wheel:
    size_mm: float
    kind: Literal["spoked", "disc"] = "spoked"

    def __post_init__(self) -> None:
        if self.size_mm <= 0:
            raise ValueError(f"size_mm is {self.size_mm}, expected more than 0")


@dataclass(frozen=True)
class Bicycle:
    wheels: tuple[Wheel, ...]
    gears: tuple[int, int] = (1, 1)
    manual: Path | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    bell: bool = False
    name: str = ""
    spare: Wheel = field(default_factory=lambda: Wheel(1.0))


def read(folder: Path, text: str) -> Bicycle:
    path = folder / "bicycle.toml"
    path.write_text(text)
    return read_toml(Bicycle, path)


def test_every_type_is_read(tmp_path: Path) -> None:
    text = """
    gears = [3, 9]
    manual = "papers/manual.pdf"
    bell = true
    name = "tourer"
    spare = 650
    [prices]
    frame = 400
    bell = 9.5
    [[wheels]]
    size_mm = 622
    [[wheels]]
    size_mm = 559.5
    kind = "disc"
    """
    assert read(tmp_path, text) == Bicycle(
        wheels=(Wheel(622.0), Wheel(559.5, "disc")),
        gears=(3, 9),
        manual=tmp_path / "papers/manual.pdf",
        prices={"frame": 400.0, "bell": 9.5},
        bell=True,
        name="tourer",
        spare=Wheel(650.0),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wheels = []\ngaers = [1, 2]", "gaers: no such key; did you mean 'gears'?"),
        ("wheels = []\nzzz = 1", "zzz: no such key; known are wheels, gears, manual"),
        ("[[wheels]]\nsize = 3", "wheels[0].size: no such key; did you mean 'size_mm'?"),
        ("gears = [1, 2]", "wheels: is missing"),
        ("[[wheels]]\nkind = 'disc'", "wheels[0].size_mm: is missing"),
        ("[[wheels]]\nsize_mm = 0", "wheels[0]: size_mm is 0.0, expected more than 0"),
        ("[[wheels]]\nsize_mm = nan", "wheels[0].size_mm: nan is no number"),
        (
            "[[wheels]]\nsize_mm = 3\nkind = 'cube'",
            "wheels[0].kind: 'cube' is none of spoked, disc",
        ),
        ("wheels = 3", "wheels: 3 is no list; write [[wheels]]"),
        ("wheels = []\ngears = [1, 2, 3]", "gears: 3 values, expected 2"),
        ("wheels = []\ngears = [1, 2.5]", "gears[1]: 2.5 is no whole number"),
        ("wheels = []\ngears = [1, true]", "gears[1]: True is no whole number"),
        ("wheels = []\nbell = 1", "bell: 1 is no truth value (true, false)"),
        ("wheels = []\nname = 1", "name: 1 is no text"),
        ("wheels = []\nmanual = ''", "manual: '' is no path"),
        ("wheels = []\nprices = 3", "prices: 3 is no table; write [prices]"),
        ("wheels = []\n[prices]\nbell = 'x'", "prices.bell: 'x' is no number"),
        ("wheels = [", "no TOML: "),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    line = str(error.value)
    assert line.startswith(f"{tmp_path / 'bicycle.toml'}: {told}") and "\n" not in line


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.toml: cannot be read: No such file"):
        read_toml(Bicycle, tmp_path / "none.toml")


def test_paths_can_be_taken_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("wheels = []\nmanual = 'm.pdf'")
    assert read_toml(Bicycle, tmp_path / "b.toml", Path("/there")).manual == Path("/there/m.pdf")
    (tmp_path / "b.toml").write_text("wheels = []\nmanual = '/m.pdf'")
    assert read_toml(Bicycle, tmp_path / "b.toml", Path("/there")).manual == Path("/m.pdf")


def test_the_first_difference_is_named() -> None:
    a = Bicycle((Wheel(1.0), Wheel(2.0)), prices={"x": 1.0})
    assert first_difference(a, Bicycle((Wheel(1.0), Wheel(2.0)), prices={"x": 1.0})) is None
    b = Bicycle((Wheel(1.0), Wheel(3.0)))
    assert first_difference(a, b) == "wheels[1].size_mm: 2.0 there, 3.0 here"
    assert first_difference(a, Bicycle((Wheel(1.0),))) == "wheels: 2 of them there, 1 of them here"
    assert first_difference(Bicycle(()), Bicycle((), (1, 2))) == "gears[1]: 1 there, 2 here"
