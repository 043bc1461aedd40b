"""Files read record by record: the same records, the same messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spinetrack_synth.coco import streaming
from spinetrack_synth.coco.parsing import read_object
from spinetrack_synth.coco.streaming import read_records
from spinetrack_synth.errors import UserError

DATA = {
    "info": {"year": 2026, "note": 'a "quoted" }]'},
    "annotations": [{"id": k, "keypoints": [0.5 * k, -1e-3, 2]} for k in range(300)],
    "licenses": [],
    "images": [{"id": 7, "file_name": "größer\n.jpg"}, None, 12, "text"],
    "categories": [{"id": 1, "keypoints": ["nose"]}],
}


def listed(data: dict) -> list[tuple[str, object]]:
    lists = {k: v if isinstance(v, list) else [v] for k, v in data.items()}
    return [(k, record) for k, v in lists.items() for record in v]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_records_are_those_of_the_whole_file(
    chunk: int, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "CHUNK", chunk)
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(DATA, indent=1, ensure_ascii=False), encoding=encoding)
    assert list(read_records(path)) == listed(DATA)


@pytest.mark.parametrize(
    "content",
    ['{"images": [{"id": 1}', '{"images": [1,]}', "[1, 2]", "", '{"a": 1} more', '{"a" 1}', "no"],
)
def test_a_broken_file_is_told_as_elsewhere(content: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(content)
    with pytest.raises(UserError) as streamed:
        list(read_records(path))
    with pytest.raises(UserError) as whole:
        read_object(path)
    assert str(streamed.value) == str(whole.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.json: cannot be read: No such file"):
        list(read_records(tmp_path / "nothing.json"))


def test_how_much_is_read_is_told_in_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"images": [{"id": k, "name": "x" * 1000} for k in range(3500)]}))
    told: list[tuple[int, int]] = []
    for _ in read_records(path, lambda done, wanted: told.append((done, wanted))):
        assert told
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
