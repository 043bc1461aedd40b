"""Which Mitsuba variant runs on this machine, why no faster one does, and how to get it.

A wrong LLVM or a broken driver does not raise: it aborts the process. So whatever is risky is
tried in a process of its own, and the answer is kept in the user's cache.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.cache import cache_folder
from spinetrack_synth.errors import UserError

VARIANTS: Final = ("cuda_ad_rgb", "llvm_ad_rgb", "scalar_rgb")
"""Fastest first."""

OPTIX: Final = "OptiX"
"""NVIDIA's denoiser, which the cuda variant has."""

OPTIX_MODEL: Final = Path("/usr/share/nvidia/nvoptix.bin")
"""What the driver's OptiX denoiser has learnt; containers tend to lack it."""

OVERRIDE: Final = "SPINETRACK_SYNTH_VARIANT"
"""Environment variable that names the variant to use."""

LIBLLVM_PATH: Final = "DRJIT_LIBLLVM_PATH"
"""Environment variable through which Dr.Jit is told which LLVM to load."""

OLDEST_LLVM: Final = 19
"""Dr.Jit 1.5 rejects LLVM 14 and aborts the process on 15 and 16 once a kernel is compiled."""

LLVM_REMEDY: Final = "apt-get install libllvm19"

LIBRARY_FOLDERS: Final = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    *(f"/usr/lib/llvm-{major}/lib" for major in range(OLDEST_LLVM, 31)),
    "/opt/homebrew/opt/llvm/lib",
    "/usr/local/opt/llvm/lib",
)
"""Where Debian, Ubuntu, Fedora and Homebrew put LLVM."""

LIBRARY_NAME: Final = re.compile(
    r"libLLVM(?:-(?P<a>\d+)(?:\.\d+)*\.so(?:\.\d+)*|\.so\.(?P<b>\d+)[.\d]*|\.(?P<c>\d+)[.\d]*\.dylib)"
)
"""``libLLVM-19.so``, ``libLLVM-19.so.1``, ``libLLVM.so.19.1``, ``libLLVM.19.dylib``."""

_TRIAL: Final = """
import sys
import drjit as dr
import mitsuba as mi
variant = sys.argv[1]
if variant.startswith("llvm"):
    found = dr.detail.llvm_version()
    if found[0] < int(sys.argv[2]):
        print("LLVM " + (".".join(map(str, found)) if found[0] > 0 else "is missing"))
        sys.exit(3)
mi.set_variant(variant)
scene = mi.load_dict({"type": "scene", "ball": {"type": "sphere"}, "light": {"type": "constant"}})
hit = scene.ray_intersect(mi.Ray3f([0, 0, -5], [0, 0, 1]))
depth = float(hit.t[0]) if hasattr(hit.t, "__len__") else float(hit.t)
assert abs(depth - 4) < 1e-3, depth
print("works")
"""


_OPTIX_TRIAL: Final = """
import sys
sys.path[:] = sys.argv[3:]
import mitsuba as mi
mi.set_variant("cuda_ad_rgb")
from spinetrack_synth.rendering.optix import OptixDenoiser, fault
sys.exit(fault(OptixDenoiser().denoise) or 0)
"""


@dataclass(frozen=True)
class Trial:
    """How a variant, or the OptiX denoiser, fared: ``reason`` is empty where it works."""

    variant: str
    works: bool
    reason: str = ""


@dataclass(frozen=True)
class VariantReport:
    """The variant to use and what became of the others.

    ``libllvm`` is the LLVM library Dr.Jit has to be pointed at, None where its own choice is right;
    ``optix`` what became of the OptiX denoiser, None where the variant has none.
    """

    variant: str
    trials: tuple[Trial, ...]
    libllvm: str | None = None
    optix: Trial | None = None

    def lines(self) -> list[str]:
        """What ``doctor`` prints: the variant that runs, then why each faster one does not, and why
        the CPU denoises."""
        lines = [f"renderer: mitsuba {self.variant}"]
        if self.optix is not None and self.optix.works:
            lines[0] += f", {OPTIX} denoiser"
        for trial in self.trials:
            if not trial.works:
                lines.append(f"{trial.variant}: {trial.reason}")
        if self.optix is not None and not self.optix.works:
            lines.append(f"{OPTIX} denoiser: {self.optix.reason}; Open Image Denoise on the CPU")
        return lines


@cache
def probe() -> VariantReport:
    """Find the fastest variant that works here; tried once, then remembered in the user's cache.

    Raises UserError where Mitsuba itself does not run.
    """
    library = find_libllvm()
    path = _cache_path(library)
    remembered = _read(path)
    if remembered is not None:
        return remembered
    trials: list[Trial] = []
    for variant in VARIANTS:
        trials.append(_try(variant, library))
        if trials[-1].works:
            optix = _try(OPTIX, library) if variant.startswith("cuda") else None
            report = VariantReport(variant, tuple(trials), library, optix)
            _write(path, report)
            return report
    raise UserError(f"mitsuba does not run here: {trials[-1].reason}")


def choose(variant: str | None = None) -> str:
    """The variant to render with, its LLVM made known to Dr.Jit; call before importing mitsuba.

    Order: the argument, the environment variable ``SPINETRACK_SYNTH_VARIANT``, the fastest that
    works. Raises UserError for a variant that is unknown or does not work here.
    """
    asked = variant or os.environ.get(OVERRIDE) or None
    if asked is None:
        report = probe()
        _point_at(report.libllvm)
        return report.variant
    if asked not in VARIANTS:
        raise UserError(f"renderer variant {asked}: unknown; choose from {', '.join(VARIANTS)}")
    library = find_libllvm()
    if asked != "scalar_rgb":  # needs nothing that could be missing
        trial = _asked_for(asked, library)
        if not trial.works:
            raise UserError(f"renderer variant {asked} does not work here: {trial.reason}")
    _point_at(library)
    return asked


def denoises_with_optix(variant: str) -> bool:
    """Whether a variant that was chosen denoises with OptiX."""
    if not variant.startswith("cuda"):
        return False
    optix = probe().optix
    return optix is not None and optix.works


def find_libllvm() -> str | None:
    """The LLVM library (>= 19) to point Dr.Jit at; None leaves the choice to Dr.Jit.

    A path the user set is respected. Dr.Jit takes what it finds first, which can be too old while a
    good one lies beside it, so the newest good one on the usual paths is named.
    """
    if os.environ.get(LIBLLVM_PATH):
        return None
    found: list[tuple[int, str]] = []
    for folder in LIBRARY_FOLDERS:
        for path in sorted(Path(folder).glob("libLLVM*")):
            match = LIBRARY_NAME.fullmatch(path.name)
            if match is None:
                continue
            major = int(next(group for group in match.groups() if group))
            if major >= OLDEST_LLVM:
                found.append((major, str(path)))
    # The oldest good one: closest to what Dr.Jit was made and tested with.
    return min(found)[1] if found else None


def _point_at(library: str | None) -> None:
    if library is not None:
        os.environ[LIBLLVM_PATH] = library


def _asked_for(variant: str, library: str | None) -> Trial:
    """The remembered trial of a variant, or a new one where the search ended before it."""
    remembered = {trial.variant: trial for trial in probe().trials}
    return remembered.get(variant) or _try(variant, library)


def _try(variant: str, library: str | None) -> Trial:
    """Run a variant, or the OptiX denoiser, once in a process of its own, where an abort does no
    harm."""
    if variant.startswith(("cuda", OPTIX)) and ctypes.util.find_library("cuda") is None:
        return Trial(variant, False, "no NVIDIA driver (libcuda) on this machine")
    environment = dict(os.environ)
    if library is not None:
        environment[LIBLLVM_PATH] = library
    trial = _OPTIX_TRIAL if variant == OPTIX else _TRIAL
    try:
        done = subprocess.run(
            [sys.executable, "-c", trial, variant, str(OLDEST_LLVM), *sys.path],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        return Trial(variant, False, "gave no answer within two minutes")
    if done.returncode == 0:
        return Trial(variant, True)
    if done.returncode == 3:
        found, needed = done.stdout.strip(), f"LLVM >= {OLDEST_LLVM} needed"
        remedy = f"unset {LIBLLVM_PATH}" if os.environ.get(LIBLLVM_PATH) else LLVM_REMEDY
        return Trial(variant, False, f"{found}, {needed}: {remedy}")
    said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    how = "does not work" if variant == OPTIX else "did not start"
    return Trial(variant, False, f"{how}: {said}")


def _cache_path(library: str | None) -> Path:
    """The file of the remembered answer; its name changes with whatever could change the answer."""
    marks = [sys.version, str(library), str(os.environ.get(LIBLLVM_PATH))]
    for package in ("mitsuba", "drjit"):
        try:
            marks.append(version(package))
        except PackageNotFoundError:
            marks.append("absent")
    marks.append(str(ctypes.util.find_library("cuda")))
    marks.append(str(Path("/dev/nvidia0").exists()))
    marks.append(str(os.environ.get("CUDA_VISIBLE_DEVICES")))
    marks.append(str(OPTIX_MODEL.exists()))
    with contextlib.suppress(OSError):
        marks.append(Path("/proc/driver/nvidia/version").read_text())
    return cache_folder() / f"variant-{sha256('|'.join(marks).encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> VariantReport | None:
    try:
        stored = json.loads(path.read_text())
        trials = tuple(Trial(**trial) for trial in stored["trials"])
        optix = None if stored["optix"] is None else Trial(**stored["optix"])
        return VariantReport(stored["variant"], trials, stored["libllvm"], optix)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, report: VariantReport) -> None:
    with contextlib.suppress(UserError):  # a read-only home: it is simply tried again next time
        write_atomic(path, json.dumps(asdict(report)).encode())
