"""OpenSim's XML files, opened as leniently as OpenSim does: many published ones are no XML."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]

_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
"""Comments are left out: OpenSim lets them hold ``--``, and the beginnings of others."""
_CLASS: Final = re.compile(r"(</?\w+)::")
"""``<HuntCrossleyForce::ContactParameters>``, which OpenSim writes and XML does not allow."""
_DECLARATION: Final = re.compile(r"^\s*<\?xml\b.*?\?>", re.DOTALL)
_DECLARED: Final = re.compile(rb"^\s*<\?xml\b[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")
_AMPERSAND: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)")
"""One that begins no entity: a name in somebody's notes."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML forbids."""
_FIRST_TAG: Final = re.compile(r"<([A-Za-z_][\w.-]*)")

_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
"""How a file begins that tells its encoding by its first bytes."""


ELSE_OPENSIM: Final = "`ik --engine opensim` solves what OpenSim loads"


class Damaged(Exception):
    """What stands in an element is not what belongs there; says which element."""


def read_document(path: Path, what: str, roots: tuple[str, ...] = ()) -> Element:
    """The root element of a file.

    Files that close elements which they never opened are read from the first of ``roots`` in them
    to its end, where OpenSim stops as well. Raises UserError, which says that ``what`` is wanted,
    where the file is missing, unreadable or no XML.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: give the path of {what}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_document(content, path, what, roots)


def parse_document(content: bytes, path: Path, what: str, roots: tuple[str, ...] = ()) -> Element:
    """The root element of a file's content, as `read_document`."""
    text = _COMMENT.sub("", _DECLARATION.sub("", _decoded(content)))
    text = _CONTROL.sub("", _AMPERSAND.sub("&amp;", _CLASS.sub(r"\1.", text)))
    try:
        return ET.fromstring(_from_first(text, roots).strip())
    except ET.ParseError as error:
        raise UserError(f"{path}: not {what}: {error}") from None


def _decoded(content: bytes) -> str:
    """The text of a file by its byte order mark, as UTF-8, as it declares, or as Windows has it.

    Editors on Windows write their own encoding below a declaration that says UTF-8, or below none.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace").removeprefix("\ufeff")
    declared = _DECLARED.match(content)
    for encoding in ("utf-8", declared.group(1).decode() if declared else "", "cp1252"):
        try:
            return content.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1")


def _from_first(text: str, roots: tuple[str, ...]) -> str:
    """From where the first of ``roots``, or else the first element, begins to where it ends."""
    first = _FIRST_TAG.search(text)
    for tag in (*roots, *([first.group(1)] if first else [])):
        begin = re.search(rf"<{re.escape(tag)}(?=[\s/>])", text)
        end = text.find(f"</{tag}>", begin.end()) if begin else -1
        if begin and end >= 0:
            return text[begin.start() : end + len(tag) + 3]
    return text


def objects(model: Element, tag: str) -> Iterator[Element]:
    """The objects of a set; 'tag' names the set, whatever name it bears."""
    for group in model.findall(f"{tag}/objects"):
        yield from group


def text_of(node: Element, tag: str) -> str:
    """What stands in a child element; empty where there is none, or where it is ``Unassigned``."""
    text = (node.findtext(tag) or "").strip()
    return "" if text.casefold() == "unassigned" else text


def is_true(node: Element, tag: str, default: bool) -> bool:
    """A flag; ``default`` where it is left out, or no word that OpenSim knows."""
    return _FLAGS.get(text_of(node, tag).casefold(), default)


def number(path: Path, text: str, what: str) -> float:
    """A number; raises UserError with the file and ``what`` it is where it is none."""
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{path}: {what}: '{text.strip()}' is no number") from None


def numbers(path: Path, node: Element, tag: str, count: int, what: str) -> tuple[float, ...] | None:
    """The ``count`` numbers in a child element, None where it is left out or empty."""
    fields = text_of(node, tag).split()
    if not fields:
        return None
    if len(fields) != count:
        raise UserError(f"{path}: {what} holds {len(fields)} numbers, expected {count}")
    return tuple(number(path, field, what) for field in fields)


def floats(node: Element, tag: str, default: str, count: int | None = None) -> Array:
    """The numbers in a child element, ``default`` where it is left out or empty; raises Damaged
    where they are none, or not ``count``."""
    fields = (node.findtext(tag) or default).split() or default.split()
    where = f"{node.tag} {node.get('name', '')}".strip()
    try:
        values = np.array(fields, dtype=float)
    except ValueError:
        raise Damaged(f"{where}: {tag} '{' '.join(fields)}' is no number") from None
    if count is not None and len(values) != count:
        raise Damaged(f"{where}: {tag} holds {len(values)} numbers, expected {count}")
    return values


def one_float(node: Element, tag: str, default: float) -> float:
    """The number in a child element; raises `Damaged` where there is another count of them."""
    return float(floats(node, tag, str(default), 1)[0])


def time_range(path: Path, node: Element) -> tuple[float, float] | None:
    """A tool's time range in s, None where it has none, which old tools write as -1 -1."""
    span = numbers(path, node, "time_range", 2, "time_range")
    if span == (-1.0, -1.0):
        return None
    if span is not None and not span[0] <= span[1]:
        raise UserError(f"{path}: time_range {span[0]:g} to {span[1]:g}: ends before it begins")
    return None if span is None else (span[0], span[1])


def file_beside(path: Path, node: Element, tag: str) -> Path | None:
    """The file that a child element names, against the folder of the document, as OpenSim does."""
    name = text_of(node, tag)
    return beside(path, name) if name else None


def beside(path: Path, name: str) -> Path:
    """A file named in a document, whichever slashes its author's system has."""
    return Path(path).parent / name.replace("\\", "/")
