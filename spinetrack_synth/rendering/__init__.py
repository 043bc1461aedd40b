"""Drawing: a shot becomes a frame. Nothing heavy is imported before a renderer is opened."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.util import find_spec

from spinetrack_synth.errors import UserError
from spinetrack_synth.extras import pip_command
from spinetrack_synth.rendering.protocol import Quality, Renderer

__all__ = ["BACKENDS", "Quality", "Renderer", "open_renderer"]

BACKENDS = ("embedded",)
"""``embedded``: Mitsuba in this process."""


def open_renderer(backend: str = "embedded", variant: str | None = None) -> Renderer:
    """A renderer ready to draw.

    ``variant`` names a Mitsuba variant (``cuda_ad_rgb``, ``llvm_ad_rgb``, ``scalar_rgb``); None
    takes the fastest that works here. Raises UserError for an unknown backend, a variant that does
    not work on this machine, or a missing ``render`` extra.
    """
    if backend not in BACKENDS:
        near = get_close_matches(backend, BACKENDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"available: {', '.join(BACKENDS)}"
        raise UserError(f"--backend {backend}: there is no such renderer; {hint}")
    missing = [module for module in ("mitsuba", "pyoidn") if find_spec(module) is None]
    if missing:
        raise UserError(
            f"rendering needs {' and '.join(missing)}, not installed: {pip_command('render')}"
        )
    from spinetrack_synth.rendering.embedded import EmbeddedRenderer

    return EmbeddedRenderer(variant)
