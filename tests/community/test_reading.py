"""Files of MakeHuman assets: what is read, and the line that is told where one is not sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinetrack_synth.community.folder import look_through, read_folder, typed_folder
from spinetrack_synth.community.mhclo import read_mhclo
from spinetrack_synth.community.mhmat import read_mhmat
from spinetrack_synth.community.obj import read_obj
from spinetrack_synth.errors import UserError

FIT = """# license CC0
# author Somebody
basemesh hm08
name Patch
tag Female
obj_file patch.obj
x_scale 5399 11998 1.4
verts 0
10 11 12 0.5 0.25 0.25 0.01 0.02 -0.03
10
material patch.mhmat
11 12 13 0.2 0.3 0.5
delete_verts
5 7 -
9 20
"""
MESH = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n"
LOOK = "name patch\ndiffuseColor 0.5 1 1\ndiffuseTexture patch.png\ntransparent True\n"


@pytest.fixture
def patch(tmp_path: Path) -> Path:
    """A sound asset in a folder of its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "patch.mhclo").write_text(FIT)
    (folder / "patch.obj").write_text(MESH)
    (folder / "patch.mhmat").write_text(LOOK)
    picture = np.full((8, 4, 4), [200, 100, 50, 255], np.uint8)
    picture[:4, :, 3] = 0
    Image.fromarray(picture).save(folder / "patch.png")
    return folder


def test_a_fit_is_read_as_it_is_written(patch: Path) -> None:
    fit = read_mhclo(patch / "patch.mhclo")
    assert fit.name == "Patch" and fit.tags == {"female"}
    assert (fit.licence, fit.author) == ("CC0", "Somebody")
    assert fit.base.tolist() == [[10, 11, 12], [10, 10, 10], [11, 12, 13]]
    assert fit.weight.tolist() == [[0.5, 0.25, 0.25], [1, 0, 0], [0.2, 0.3, 0.5]]
    assert fit.offset.tolist() == [[0.01, 0.02, -0.03], [0, 0, 0], [0, 0, 0]]
    assert fit.scales == ((5399, 11998, 1.4), None, None)
    assert np.flatnonzero(fit.deleted).tolist() == [5, 7, 8, 9, 20]  # a range over two lines


def test_polygons_and_negative_numbers_of_a_mesh(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0.25 0.5\nf -4 2 3//1 4/-1\n")
    mesh = read_obj(path)
    assert mesh.count == 4
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.faces_uv.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_look_has_colour_holes_and_relief(patch: Path) -> None:
    Image.fromarray(np.full((4, 4, 3), [255, 128, 128], np.uint8)).save(patch / "bump.png")
    look = patch / "patch.mhmat"
    look.write_text(LOOK + "normalmapTexture bump.png\nnormalmapIntensity 0.5\nshininess 0.4\n")
    material = read_mhmat(look)
    assert material.base_color[0, 0].tolist() == [100, 100, 50]  # the colour times the picture
    assert material.opacity[:4].max() == 0 and material.opacity[4:].min() == 255
    assert material.roughness == pytest.approx(0.6)
    x, _, z = material.normals[0, 0] / 127.5 - 1
    assert x == pytest.approx(z * 0.5 / 0.1, rel=0.05)  # as deep as half of steepest
    look.write_text(LOOK.replace("True", "False"))
    assert read_mhmat(look).opacity is None


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("patch.mhclo", "10 11 12", "10 11 19158", r"patch\.mhclo:9: base vertex 19158, there are"),
        ("patch.mhclo", "0.25 0.01", "x 0.01", r"patch\.mhclo:9: 'x' is no number"),
        ("patch.mhclo", "0.25 0.01", "nan 0.01", r"patch\.mhclo:9: 'nan' is no number"),
        ("patch.mhclo", "0.5 0.25", "5 0.25", r"patch\.mhclo:9: weights sum to 5\.500"),
        ("patch.mhclo", " -0.03", "", r"patch\.mhclo:9: 8 values, expected 1, 6 or 9"),
        ("patch.mhclo", "verts 0", "", r"patch\.mhclo:9: numbers before a line 'verts'"),
        ("patch.mhclo", "hm08", "alpha_7", r"patch\.mhclo:3: .*'alpha_7'; hm08"),
        ("patch.mhclo", "obj_file patch.obj", "", r"patch\.mhclo: names no mesh"),
        ("patch.mhclo", "patch.obj", "other.obj", r"patch\.mhclo:6: .*'other\.obj', which is not"),
        ("patch.mhclo", "998 1.4", "998 0", r"patch\.mhclo:7: x_scale: a distance of 0"),
        ("patch.mhclo", "7 -\n9", "7 -\n4", r"patch\.mhclo:15: a range from 7 back to 4"),
        ("patch.mhclo", "10\nmaterial", "material", r"fits 2 vertices, patch\.obj has 3"),
        ("patch.obj", "2/2", "9/2", r"patch\.obj:7: a face names vertex 9, there are 3"),
        ("patch.obj", "f 1/1 2/2 3/3", "f 1 2", r"patch\.obj:7: a face of 2 corners"),
        ("patch.obj", "f 1/1 2/2 3/3", "", r"patch\.obj: has no faces"),
        ("patch.obj", "v 1 0 0", "v 1 0", r"patch\.obj:2: v: 2 values, expected 3"),
        ("patch.mhmat", "0.5 1 1", "red", r"patch\.mhmat:2: diffuseColor: 1 values, expected 3"),
        ("patch.mhmat", "patch.png", "no.png", r"patch\.mhmat:3: .*'no\.png', which is not there"),
        ("patch.mhmat", "patch.png", "patch.obj", r"patch\.mhmat:3: .*is none of \.png"),
    ],
)
def test_what_is_not_sound_is_told_by_its_line(patch, name, old, new, told) -> None:
    text = (patch / name).read_text()
    assert old in text
    (patch / name).write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=told) as caught:
        read_folder(str(patch))
    assert "\n" not in str(caught.value)
    found, faults = look_through(patch)
    assert not found.wearables and len(faults) == 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("patch.png", b"version https://git-lfs.github.com/spec/v1\noid 1", "pointer of Git LFS"),
        ("patch.png", b"no picture", "cannot be read as a picture"),
        ("patch.obj", b"", "is empty"),
        ("patch.mhclo", b"\0\1\2", "is no text file"),
    ],
)
def test_files_that_are_something_else(patch, name, content, told) -> None:
    (patch / name).write_bytes(content)
    with pytest.raises(UserError, match=told):
        read_folder(str(patch))


def test_folders(patch: Path, tmp_path: Path) -> None:
    assert typed_folder(f"{patch}:0.25") == (patch, 0.25)
    assert typed_folder(str(patch)) == (patch, 0.5)
    with pytest.raises(UserError, match="share '2' is no number"):
        typed_folder(f"{patch}:2")
    with pytest.raises(UserError, match="is not there"):
        read_folder(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no \.mhclo and no skins"):
        read_folder(str(tmp_path / "empty"))
    teeth = tmp_path / "body/teeth"
    teeth.parent.mkdir()
    patch.rename(teeth)  # parts of the body are our own
    (tmp_path / "body/skins").mkdir()
    (tmp_path / "body/skins/pale.mhmat").write_text("diffuseTexture ../teeth/patch.png\n")
    (tmp_path / "body/skins/plain.mhmat").write_text("diffuseColor 0.9 0.7 0.6\n")
    found = read_folder(str(tmp_path / "body"))
    assert [skin.name for skin in found.skins] == ["skins/pale.mhmat"]
    assert set(found.left_out) == {"teeth/patch.mhclo", "skins/plain.mhmat"}


def test_names_are_found_in_any_case(patch: Path) -> None:
    (patch / "patch.png").rename(patch / "Patch.PNG")
    (patch / "patch.mhmat").write_text(LOOK.replace("patch.png", r"C:\Users\me\patch.png"))
    (wearable,) = read_folder(str(patch)).wearables
    assert wearable.material().base_color.shape == (8, 4, 3)


def test_checksums_follow_every_file(patch: Path) -> None:
    before = read_folder(str(patch)).sha256()
    assert list(before) == ["patch.mhclo"]
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(patch / "patch.png")
    assert read_folder(str(patch)).sha256() != before
    assert read_folder(str(patch)).terms() == {"patch.mhclo": "CC0, Somebody"}
