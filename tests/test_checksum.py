"""The checksum of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from spinetrack_synth.checksum import file_sha256


def test_a_file_has_the_checksum_of_its_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()
