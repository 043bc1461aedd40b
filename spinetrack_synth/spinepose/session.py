"""ONNX files opened with onnxruntime, with one clear line where that does not work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROVIDERS: Final = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Our names of the execution providers, the fastest first."""

PACKAGES: Final = {"cuda": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}
"""Builds of onnxruntime that carry a provider which the plain package has not."""


def open_session(
    path: Path,
    *,
    provider: str | None = None,
    threads: int | None = None,
    spinning: bool = True,
    mixed_precision: bool = False,
) -> InferenceSession:
    """Open an ONNX file on a provider of ``PROVIDERS``, or on the best one that works.

    ``threads`` compute one answer; by default as many as there are cores. ``spinning`` threads wait
    for work without sleeping: quicker, but a burden where other programs run. ``mixed_precision``
    lets CUDA multiply with fewer digits (TF32). Raises UserError for what is no ONNX file, for a
    truncated one and for a provider that does not work here.
    """
    import onnxruntime

    if not path.is_file():
        raise UserError(f"{path}: no such file; --model names an ONNX file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised; warnings are of no use to users
    if threads is not None:
        options.intra_op_num_threads = threads
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    there = onnxruntime.get_available_providers()
    wanted = [PROVIDERS[provider]] if provider else [p for p in PROVIDERS.values() if p in there]
    if provider and wanted[0] not in there:
        raise UserError(_no_provider(provider, there))
    settings = [
        {"use_tf32": str(int(mixed_precision))} if name == PROVIDERS["cuda"] else {}
        for name in wanted
    ]
    try:
        session = onnxruntime.InferenceSession(path, options, wanted, settings)
    except Exception as error:  # onnxruntime's own exceptions share no other base
        raise UserError(f"{path}: onnxruntime cannot open it: {_reason(path, error)}") from error
    if provider and session.get_providers()[0] != wanted[0]:
        raise UserError(f"{provider}: onnxruntime carries it but cannot start it on this machine")
    return session


def _no_provider(provider: str, there: list[str]) -> str:
    usable = ", ".join(name for name, full in PROVIDERS.items() if full in there)
    remedy = f"; pip install {PACKAGES[provider]}" if provider in PACKAGES else ""
    return f"{provider}: the installed onnxruntime has no such provider, only {usable}{remedy}"


def _reason(path: Path, error: Exception) -> str:
    text = str(error)
    if path.stat().st_size == 0:
        return "the file is empty"
    if "INVALID_PROTOBUF" in text or "Protobuf parsing failed" in text:
        return "no ONNX file, or only a part of one; fetch it again"
    return text.splitlines()[0].rpartition("] : ")[2][:200]
