"""What is looked at, what it is called, where its results go."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.layout import Input, file_names, find_inputs, lay_out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/1.jpg", "a/._1.jpg", "a/notes.txt", "b/1.jpg", "b/2.HEIC", "run[1]/ü 1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "folder.jpg").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["a"], ["a/1.jpg"]),
        (["a", "a/1.jpg", "b/../a/1.jpg", "a/*.jpg"], ["a/1.jpg"]),
        (["**/*.jpg"], ["a/1.jpg", "b/1.jpg"]),
        (["run[1]/*.png"], ["run[1]/ü 1.png"]),
        (["run[1]/ü 1.png"], ["run[1]/ü 1.png"]),
        (["b"], ["b/1.jpg", "b/2.HEIC"]),
        (["a/._1.jpg"], ["a/._1.jpg"]),
        (["Webcam", "3"], [0, 3]),
    ],
)
def test_inputs_are_found(arguments: list[str], names: list[str | int]) -> None:
    found = find_inputs(arguments)
    assert found.faults == ()
    assert found.inputs == tuple(Path(n) if isinstance(n, str) else n for n in names)


def test_arguments_that_lead_nowhere_are_told() -> None:
    found = find_inputs(["a/1.jpg", "c.jpg", "*.tif"])
    assert found.inputs == (Path("a/1.jpg"),)
    assert found.faults == tuple(
        f"{name}: no such file, folder, pattern or camera number" for name in ("c.jpg", "*.tif")
    )
    with pytest.raises(UserError, match=r"there are some in its folders: '\./\*\*/\*.jpg'|'.*jpg'"):
        find_inputs(["."])


@pytest.mark.parametrize(
    ("inputs", "names", "stems"),
    [
        (["a/1.jpg", "b/2.mp4"], ["1.jpg", "2.mp4"], ["1", "2"]),
        (["a/1.jpg", "b/1.jpg", "2.jpg"], ["a/1.jpg", "b/1.jpg", "2.jpg"], ["a/1", "b/1", "2"]),
        (["b/../a/1.jpg", "b/1.jpg"], ["a/1.jpg", "b/1.jpg"], ["a/1", "b/1"]),
        (["a/1.jpg", "a/1.png"], ["1.jpg", "1.png"], ["1", "1_2"]),
        (["a/A.jpg", "a/a.jpg"], ["A.jpg", "a.jpg"], ["A", "a_2"]),
        ([0, "a/x.y.jpg"], ["camera 0", "x.y.jpg"], ["camera0", "x.y"]),
    ],
)  # fmt: skip
def test_names_are_kept_apart(inputs: list, names: list[str], stems: list[str]) -> None:
    sources: list[Input] = [Path(s) if isinstance(s, str) else s for s in inputs]
    assert file_names(sources) == tuple(names)
    assert lay_out(sources, names, None, None).names == tuple(stems)


@pytest.mark.parametrize(
    ("source", "out", "openpose", "drawn", "pose"),
    [
        ("a/1.jpg", None, None, "predictions/drawn/1.jpg", "predictions/openpose/1_keypoints.json"),
        ("a/1.jpg", "o", "p", "o/drawn/1.jpg", "p/1_keypoints.json"),
        ("a/1.jpg", "v.png", None, "v.png", None),
        ("a/1.jpg", "v.png", "p.json", "v.png", "p.json"),
        ("a/1.jpg", None, "p.json", None, "p.json"),
        ("a/1.jpg", "a/folder.jpg", None, "a/folder.jpg/drawn/1.jpg",
         "a/folder.jpg/openpose/1_keypoints.json"),
        ("v.mp4", "o", None, "o/drawn/v.mp4", "o/openpose/v/v_000000000007_keypoints.json"),
        ("v.mp4", "w.mkv", "p.json", "w.mkv", "p.json/frame_00007.json"),
    ],
)  # fmt: skip
def test_places(
    source: str, out: str | None, openpose: str | None, drawn: str | None, pose: str | None
) -> None:
    path = Path(source)
    layout = lay_out([path], [path.name], out and Path(out), openpose and Path(openpose))
    frame, suffix = (7, ".mp4") if path.suffix == ".mp4" else (None, ".jpg")
    assert layout.drawn_file(0, suffix) == (drawn and Path(drawn))
    assert layout.openpose_file(0, frame) == (pose and Path(pose))
    whole = out in (None, "o", "a/folder.jpg") and (out or not openpose)
    assert (layout.folder is not None) == bool(whole)


@pytest.mark.parametrize(
    ("sources", "out", "openpose", "message"),
    [
        (["a/1.jpg", "b/1.jpg"], "v.jpg", None, "v.jpg: one file for 2 inputs; name a folder"),
        (["a/1.jpg", "b/1.jpg"], None, "p.json", "p.json: one file for 2 inputs; name a folder"),
        (["a/1.jpg"], "v.mp4", None, "v.mp4: the input is a picture: name a file with .jpg"),
        (["v.mp4"], "v.jpg", None, "v.jpg: the input is a video: name a file with .mp4"),
        (["a/1.jpg"], "a/1.jpg", None, "a/1.jpg: is the input itself"),
    ],
)
def test_places_that_do_not_fit(
    sources: list[str], out: str | None, openpose: str | None, message: str
) -> None:
    paths = [Path(source) for source in sources]
    with pytest.raises(UserError, match=message):
        lay_out(paths, sources, out and Path(out), openpose and Path(openpose))
