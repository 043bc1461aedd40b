"""OpenSim's XML files as people have them: any encoding, stray characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinetrack_synth.anatomy.documents import read_document

NOTE = (
    '<OpenSimDocument Version="40000"><notes>M\u00fcller \u2013 caf\u00e9</notes></OpenSimDocument>'
)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "cp1252"),
        ("UTF-8", "cp1252"),
        ("windows-1252", "cp1252"),
        ("UTF-8", "utf-16"),
        ("UTF-16", "utf-16"),
        ("", "utf-16-le"),
        ("", "utf-16-be"),
    ],
)
def test_any_encoding_is_read(tmp_path: Path, declared: str, encoding: str) -> None:
    path = tmp_path / "a.xml"
    head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
    path.write_bytes((head + NOTE).encode(encoding))
    assert read_document(path, "a file").findtext("notes") == "M\u00fcller \u2013 caf\u00e9"


def test_a_declared_encoding_counts_where_the_bytes_are_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes('<?xml version="1.0" encoding="cp437"?><a>\u00fc</a>'.encode("cp437"))
    assert read_document(path, "a file").text == "\u00fc"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("<a>Smith & Sons</a>", "Smith & Sons"),
        ("<a>1 &lt; 2 &amp; 3 &#65;</a>", "1 < 2 & 3 A"),
        ("<a>caf&eacute;</a>", "caf&eacute;"),
        ("\n\n  <?xml version='1.0'?><a>x</a>", "x"),
        ("<a>x</a></a> trailing words", "x"),
        ("<a>x\x00\x0by</a>", "xy"),
    ],
)
def test_what_is_no_xml_but_read_by_opensim_is_read(
    tmp_path: Path, text: str, content: str
) -> None:
    (tmp_path / "a.xml").write_text(text)
    assert read_document(tmp_path / "a.xml", "a file").text == content
