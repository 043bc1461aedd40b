"""OpenSim's XML files, opened as leniently as OpenSim does: many published ones are no XML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from spinetrack_synth.errors import UserError

_COMMENT: Final = re.compile(rb"<!--.*?-->", re.DOTALL)
"""Comments are left out: OpenSim lets them hold ``--``, and the beginnings of others."""
_CLASS: Final = re.compile(rb"(</?\w+)::")
"""``<HuntCrossleyForce::ContactParameters>``, which OpenSim writes and XML does not allow."""


def read_document(path: Path, what: str, roots: tuple[str, ...] = ()) -> Element:
    """The root element of a file.

    Files that close elements which they never opened are read from the first of ``roots`` in them
    to its end, where OpenSim stops as well. Raises UserError, which says that ``what`` is wanted,
    where the file is missing, unreadable or no XML.
    """
    try:
        text = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: give the path of {what}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_document(text, path, what, roots)


def parse_document(text: bytes, path: Path, what: str, roots: tuple[str, ...] = ()) -> Element:
    """The root element of a file's content, as `read_document`."""
    text = _CLASS.sub(rb"\1.", _COMMENT.sub(b"", text))
    for tag in map(str.encode, roots):
        begin, end = text.find(b"<" + tag), text.find(b"</" + tag + b">")
        if 0 <= begin < end:
            text = text[begin : end + len(tag) + 3]
            break
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise UserError(f"{path}: not {what}: {error}") from None
