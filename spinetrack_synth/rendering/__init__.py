"""Drawing: a shot becomes a frame. Nothing heavy is imported before a renderer is opened."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.util import find_spec

from spinetrack_synth.errors import UserError
from spinetrack_synth.extras import pip_command
from spinetrack_synth.rendering.protocol import EngineSettings, Quality, Renderer

__all__ = ["BACKENDS", "EngineSettings", "Quality", "Renderer", "open_renderer"]

BACKENDS = ("embedded", "unreal")
"""``embedded``: Mitsuba in this process; ``unreal``: Unreal Engine through UnrealCV."""


def open_renderer(
    backend: str = "embedded",
    variant: str | None = None,
    engines: EngineSettings | None = None,
) -> Renderer:
    """A renderer ready to draw.

    ``variant`` names a Mitsuba variant (``cuda_ad_rgb``, ``llvm_ad_rgb``, ``scalar_rgb``); None
    takes the fastest that works here. ``engines`` says where Unreal is; None looks on this machine
    at UnrealCV's usual port. Raises UserError for an unknown backend, a variant that does not work
    on this machine, an engine that cannot draw, or a missing extra.
    """
    if backend not in BACKENDS:
        near = get_close_matches(backend, BACKENDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"available: {', '.join(BACKENDS)}"
        raise UserError(f"--backend {backend}: there is no such renderer; {hint}")
    if backend == "unreal":
        _require("unreal", "unrealcv", "cv2")
        from spinetrack_synth.rendering.unreal.renderer import open_engines

        return open_engines(engines or EngineSettings())
    _require("render", "mitsuba", "pyoidn")
    from spinetrack_synth.rendering.embedded import EmbeddedRenderer

    return EmbeddedRenderer(variant)


def _require(extra: str, *modules: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UserError(
            f"rendering needs {' and '.join(missing)}, not installed: {pip_command(extra)}"
        )
