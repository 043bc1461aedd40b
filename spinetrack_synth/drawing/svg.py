"""Drawing for pages: elements of SVG whose texts are escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.drawing.palette import VEIL, Color, hexadecimal
from spinetrack_synth.drawing.person import Dashes, Edge, Floats


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """An element; ``stroke_width`` stands for the attribute stroke-width, ``class_`` for class.
    None leaves an attribute out; numbers get two decimals at most."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{Markup('').join(children)}</{tag}>")


def _value(value: object) -> str:
    if isinstance(value, float | np.floating):
        text = f"{value:.2f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return escape(value)


def drawing(
    view: Iterable[float], parts: Iterable[str], title: str, kind: str | None = None
) -> Markup:
    """An SVG that shows ``view``: left, top, width, height; ``kind`` is its class."""
    box = " ".join(_value(float(value)) for value in view)
    return element("svg", *parts, "", class_=kind, viewBox=box, role="img", aria_label=title)


def data_url(content: bytes, kind: str) -> str:
    """A picture in the page itself; ``kind`` is jpeg or png."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


class SvgCanvas:
    """Collects ``parts`` of an SVG in pixels of the picture."""

    def __init__(self) -> None:
        self.parts: list[Markup] = []

    def line(self, a: Floats, b: Floats, color: Color, width: float, dashes: Dashes = None) -> None:
        self.parts.append(
            element(
                "line", x1=a[0], y1=a[1], x2=b[0], y2=b[1],
                stroke=hexadecimal(color), stroke_width=width,
                stroke_linecap="round" if dashes is None else None,
                stroke_dasharray=dashes and " ".join(map(_value, dashes)),
            )
        )  # fmt: skip

    def circle(self, center: Floats, radius: float, fill: Color | None, edge: Edge = None) -> None:
        color, width = edge or (None, 0.0)
        self.parts.append(
            element(
                "circle", cx=center[0], cy=center[1], r=radius - width / 2,
                fill="none" if fill is None else hexadecimal(fill),
                stroke=None if color is None else hexadecimal(color),
                stroke_width=None if edge is None else width,
            )
        )  # fmt: skip

    def mask(self, mask: NDArray[np.bool_], color: Color) -> None:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            return
        top, left = int(rows[0]), int(columns[0])
        part = mask[top : rows[-1] + 1, left : columns[-1] + 1]
        veil = np.zeros((*part.shape, 4), np.uint8)
        veil[part] = (*color, round(255 * VEIL))
        content = io.BytesIO()
        Image.fromarray(veil).save(content, "PNG")
        self.parts.append(
            element(
                "image", x=left, y=top, width=part.shape[1], height=part.shape[0],
                href=data_url(content.getvalue(), "png"),
            )
        )  # fmt: skip
