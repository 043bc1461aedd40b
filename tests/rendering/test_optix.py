"""The OptiX denoiser: whether it is taken, and what it is given. No test has a GPU: what draws here
is the LLVM variant, in which Mitsuba has the denoiser's door but nothing behind it."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering import film, variants
from spinetrack_synth.rendering.embedded import EmbeddedRenderer
from spinetrack_synth.rendering.variants import OPTIX, Trial, VariantReport


@pytest.fixture
def gpu(tmp_path, monkeypatch):
    """A machine with a driver, by what is asked without starting it; nothing remembered."""
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path))
    monkeypatch.setattr(variants.ctypes.util, "find_library", lambda name: f"lib{name}.so.1")
    monkeypatch.setattr(variants, "_TRIAL", "")
    variants.probe.cache_clear()
    yield
    variants.probe.cache_clear()


def test_without_a_driver_nothing_is_started(monkeypatch) -> None:
    monkeypatch.setattr(variants.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *args, **named: pytest.fail("started"))
    assert variants._try(OPTIX, None).reason == "no NVIDIA driver (libcuda) on this machine"


def test_a_denoiser_that_works_is_taken_and_remembered(gpu, monkeypatch) -> None:
    monkeypatch.setattr(variants, "_OPTIX_TRIAL", "")
    assert variants.probe().lines() == ["renderer: mitsuba cuda_ad_rgb, OptiX denoiser"]
    monkeypatch.setattr(variants, "_OPTIX_TRIAL", "raise SystemExit('must not run again')")
    variants.probe.cache_clear()
    assert variants.denoises_with_optix("cuda_ad_rgb")
    assert not variants.denoises_with_optix("llvm_ad_rgb")


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        (
            "import os\nos.write(2, b'API error 7990\\n')\nos.abort()",
            "does not work: API error 7990",
        ),
        ("import sys\nsys.exit('leaves the noise')", "does not work: leaves the noise"),
    ],
)
def test_one_that_does_not_is_told_and_the_cpu_denoises(gpu, monkeypatch, trial, reason) -> None:
    monkeypatch.setattr(variants, "_OPTIX_TRIAL", trial)
    assert variants.probe().lines() == [
        "renderer: mitsuba cuda_ad_rgb",
        f"OptiX denoiser: {reason}; Open Image Denoise on the CPU",
    ]
    assert not variants.denoises_with_optix("cuda_ad_rgb")


@pytest.mark.slow
def test_the_trial_itself_says_no_where_there_is_no_gpu(gpu, monkeypatch) -> None:
    """The very program that runs on machines with a GPU, but for the name of the variant."""
    pytest.importorskip("mitsuba")
    monkeypatch.undo()  # the driver of this machine is the one to be asked
    monkeypatch.setattr(variants.ctypes.util, "find_library", lambda name: "there")
    llvm = variants._OPTIX_TRIAL.replace("cuda_ad_rgb", "llvm_ad_rgb")
    assert llvm != variants._OPTIX_TRIAL
    monkeypatch.setattr(variants, "_OPTIX_TRIAL", llvm)
    trial = variants._try(OPTIX, variants.find_libllvm())
    assert not trial.works
    assert "OptixDenoiser is only available in CUDA mode" in trial.reason


@pytest.fixture(scope="module")
def optix():
    """The module, the variant set before it is imported."""
    mi = pytest.importorskip("mitsuba")
    pytest.importorskip("pyoidn")
    mi.set_variant(variants.choose())
    if mi.variant().startswith("scalar"):
        pytest.skip("needs a compiled variant")
    from spinetrack_synth.rendering import optix

    return optix


def with_oidn(radiance, albedo, normal, camera):
    return film.denoise(radiance, albedo, normal, "fast")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("denoise", "fault"),
    [
        (with_oidn, ""),
        (lambda radiance, *guides: radiance, "leaves the noise in the picture"),
        (lambda *images: with_oidn(*images) * np.nan, "gives no picture back"),
        (lambda *images: with_oidn(*images)[::2], "gives no picture back"),
        (lambda *images: 0 * with_oidn(*images), r"gives [0.0, 0.0, 0.0] times the light"),
        (
            lambda *images: np.minimum(with_oidn(*images), np.float32([1, np.inf, np.inf])),
            "gives [0.1",
        ),
    ],
)
def test_the_check_tells_good_denoisers_from_bad_ones(optix, denoise, fault: str) -> None:
    found = optix.fault(denoise)
    assert found.startswith(fault) if fault else not found


@pytest.mark.slow
def test_normals_reach_it_in_the_frame_of_mitsubas_own_camera(optix, monkeypatch) -> None:
    import mitsuba as mi

    eye, target = np.array([3.0, 1.5, -2.0]), np.array([0.2, 0.8, 0.4])
    camera = look_at(eye, target, focal_px=40, width=8, height=6)
    given = []

    class Door:
        def __init__(self, input_size, albedo, normals):
            given.append(tuple(input_size))

        def __call__(self, noisy, albedo, normals):
            given.extend(np.array(image) for image in (noisy, albedo, normals))
            return noisy

    monkeypatch.setattr(mi, "OptixDenoiser", Door)
    rng = np.random.default_rng(3)
    radiance, albedo, normal = rng.normal(size=(3, 6, 8, 3)).astype(np.float32)
    radiance[2, 3] = np.nan
    clean = optix.OptixDenoiser().denoise(radiance, albedo, normal, camera)
    size, noisy, its_albedo, its_normal = given
    assert size == (8, 6)
    assert np.array_equal(noisy, np.nan_to_num(radiance))
    assert np.array_equal(clean, noisy)
    assert np.array_equal(its_albedo, albedo)
    theirs = mi.ScalarTransform4f().look_at(list(eye), list(target), [0, 1, 0])
    to_sensor = np.linalg.inv(np.array(theirs.matrix))[:3, :3]
    assert np.allclose(its_normal, normal @ to_sensor.T, atol=1e-6)


@pytest.mark.slow
def test_the_constructor_is_mitsubas(optix) -> None:
    import mitsuba as mi

    camera = look_at((3, 1, 0), (0, 1, 0), focal_px=40, width=8, height=6)
    black = np.zeros((6, 8, 3), np.float32)
    if mi.variant().startswith("cuda"):
        pytest.skip("there is a GPU: the probe has tried it")
    with pytest.raises(RuntimeError, match="only available in CUDA mode"):
        optix.OptixDenoiser().denoise(black, black, black, camera)


@pytest.mark.slow
def test_a_renderer_with_it_draws_by_it_and_says_so(optix, monkeypatch) -> None:
    """Whatever shows a shot's light on this machine goes through it; here it paints all red."""
    from plain_shapes import make_shot, rectangle

    from spinetrack_synth.rendering import Quality
    from spinetrack_synth.shot import Ambient

    red = np.float32([0.5, 0, 0])
    monkeypatch.setattr(variants, "denoises_with_optix", lambda variant: True)
    monkeypatch.setattr(
        optix.OptixDenoiser, "denoise", lambda self, light, *rest: np.zeros_like(light) + red
    )
    renderer = EmbeddedRenderer()
    camera = look_at((3, 1, 0), (0, 1, 0), focal_px=20, width=16, height=12)
    wall = rectangle("wall", (0, 1, 0), (0, 0, -3), (0, 3, 0))
    frame = renderer.render(
        make_shot([], [wall], (Ambient((1, 1, 1)),), camera), quality=Quality.DRAFT
    )
    assert frame.rgb[..., 0].min() > 100
    assert frame.rgb[..., 1:].max() == 0
    assert renderer.provenance == {"denoiser": "OptiX"}
    renderer.close()
    assert EmbeddedRenderer("scalar_rgb").ahead == 0


def test_reports_of_before_are_found_anew(tmp_path) -> None:
    report = VariantReport("cuda_ad_rgb", (Trial("cuda_ad_rgb", True),), None, Trial(OPTIX, True))
    path = tmp_path / "report.json"
    variants._write(path, report)
    assert variants._read(path) == report
    path.write_text(path.read_text().replace('"optix"', '"else"'))
    assert variants._read(path) is None
