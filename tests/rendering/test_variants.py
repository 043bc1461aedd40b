"""Finding the Mitsuba variant that runs."""

from __future__ import annotations

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import open_renderer, variants
from spinetrack_synth.rendering.variants import LIBRARY_NAME, Trial, VariantReport


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Nothing remembered, and nothing kept after the test."""
    monkeypatch.setenv("SPINETRACK_SYNTH_CACHE", str(tmp_path))
    monkeypatch.delenv(variants.OVERRIDE, raising=False)
    variants.probe.cache_clear()
    yield tmp_path
    variants.probe.cache_clear()


@pytest.mark.parametrize(
    ("name", "major"),
    [
        ("libLLVM-19.so", 19),
        ("libLLVM-19.so.1", 19),
        ("libLLVM-14.0.6.so.1", 14),
        ("libLLVM.so.19.1", 19),
        ("libLLVM.so.21.1.8", 21),
        ("libLLVM.20.dylib", 20),
        ("libLLVM.so", None),
        ("libLLVM-19.so.debug", None),
        ("libLLVMSupport.a", None),
    ],
)
def test_the_version_is_read_from_the_name(name: str, major: int | None) -> None:
    match = LIBRARY_NAME.fullmatch(name)
    found = next((int(group) for group in match.groups() if group), None) if match else None
    assert found == major


def test_the_oldest_good_llvm_beside_bad_ones_is_taken(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv(variants.LIBLLVM_PATH, raising=False)
    monkeypatch.setattr(variants, "LIBRARY_FOLDERS", (str(tmp_path), str(tmp_path / "absent")))
    for name in ("libLLVM-14.so.1", "libLLVM-15.so", "libLLVM.so.16.0"):
        (tmp_path / name).touch()
    assert variants.find_libllvm() is None
    for name in ("libLLVM-22.so", "libLLVM-19.so.1"):
        (tmp_path / name).touch()
    assert variants.find_libllvm() == str(tmp_path / "libLLVM-19.so.1")
    monkeypatch.setenv(variants.LIBLLVM_PATH, "/the/users/own.so")
    assert variants.find_libllvm() is None


def test_a_variant_that_aborts_is_passed_over_and_remembered(own_cache, monkeypatch) -> None:
    monkeypatch.setattr(variants, "VARIANTS", ("llvm_ad_rgb", "scalar_rgb"))
    monkeypatch.setattr(
        variants,
        "_TRIAL",
        "import os, sys\nif sys.argv[1] != 'scalar_rgb': os.abort()",
    )
    report = variants.probe()
    assert report.variant == "scalar_rgb"
    assert [trial.works for trial in report.trials] == [False, True]
    assert any(line.startswith("llvm_ad_rgb: did not start") for line in report.lines())
    with pytest.raises(UserError, match="llvm_ad_rgb does not work here"):
        variants.choose("llvm_ad_rgb")

    variants.probe.cache_clear()
    monkeypatch.setattr(variants, "_TRIAL", "raise SystemExit('must not run again')")
    assert variants.probe() == report


def test_nothing_works(own_cache, monkeypatch) -> None:
    monkeypatch.setattr(variants, "_TRIAL", "raise SystemExit('no such module')")
    with pytest.raises(UserError, match="no such module"):
        variants.probe()
    assert not list(own_cache.iterdir())


def test_a_damaged_memory_is_no_obstacle(own_cache, monkeypatch) -> None:
    monkeypatch.setattr(variants, "_TRIAL", "")
    report = variants.probe()
    (remembered,) = own_cache.iterdir()
    remembered.write_text('{"variant": 3')
    variants.probe.cache_clear()
    assert variants.probe() == report


def test_old_llvm_says_what_to_install(own_cache, monkeypatch) -> None:
    monkeypatch.delenv(variants.LIBLLVM_PATH, raising=False)
    monkeypatch.setattr(variants, "find_libllvm", lambda: None)
    monkeypatch.setattr(variants, "_TRIAL", "import sys\nprint('LLVM 15.0.6')\nsys.exit(3)")
    trial = variants._try("llvm_ad_rgb", None)
    assert trial == Trial(
        "llvm_ad_rgb", False, "LLVM 15.0.6, LLVM >= 19 needed: apt-get install libllvm19"
    )


def test_the_report_is_one_line_a_variant() -> None:
    trials = (Trial("cuda_ad_rgb", False, "no driver"), Trial("llvm_ad_rgb", True))
    lines = VariantReport("llvm_ad_rgb", trials).lines()
    assert lines == ["renderer: mitsuba llvm_ad_rgb", "cuda_ad_rgb: no driver"]


def test_the_environment_names_the_variant(monkeypatch) -> None:
    monkeypatch.setenv(variants.OVERRIDE, "scalar_rgb")
    assert variants.choose() == "scalar_rgb"
    monkeypatch.setenv(variants.OVERRIDE, "vulkan_rgb")
    with pytest.raises(UserError, match="vulkan_rgb: unknown; choose from cuda_ad_rgb"):
        variants.choose()


def test_unknown_backends_and_missing_packages_are_the_users_to_mend(monkeypatch) -> None:
    with pytest.raises(UserError, match="did you mean embedded"):
        open_renderer("embeded")
    with pytest.raises(UserError, match="available: embedded, unreal"):
        open_renderer("blender")
    monkeypatch.setattr(
        "spinetrack_synth.rendering.find_spec", lambda name: None if name == "pyoidn" else name
    )
    with pytest.raises(UserError, match=r"pyoidn.*pip install 'spinetrack-synth\[render\]'"):
        open_renderer()
    monkeypatch.setattr("spinetrack_synth.rendering.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"unrealcv.*pip install 'spinetrack-synth\[unreal\]'"):
        open_renderer("unreal")
