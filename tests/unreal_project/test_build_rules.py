"""The rules of the Unreal project's build: C# compiled by Mono where it is there, and run."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "unreal_project"
STUB = Path(__file__).parent / "stubs/UnrealBuildTool.cs"
RULES = sorted(PROJECT.glob("Source/**/*.cs"))

needs_mono = pytest.mark.skipif(
    shutil.which("mcs") is None or shutil.which("mono") is None,
    reason="no C# compiler: apt-get install mono-mcs",
)


def project_hash(project: Path) -> tuple[str, int]:
    """What the rules are to make of a project: its hash, and how many files it depends on."""
    names = sorted(
        path.relative_to(project).as_posix()
        for folder in ("Source", "Config", "Content/Python", "Exported")
        for path in (project / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\n" + (project / name).read_bytes())
    return digest.hexdigest(), len(names)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("rules") / "rules.exe"
    command = ["mcs", "-langversion:7", "-warnaserror+", f"-out:{program}"]
    done = subprocess.run([*command, str(STUB), *map(str, RULES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return program


def applied(rules: Path, project: Path) -> tuple[str, int]:
    done = subprocess.run(
        ["mono", str(rules), str(project)], capture_output=True, text=True, check=True
    )
    definition, count = done.stdout.splitlines()
    match = re.fullmatch(r'SPINETRACK_PROJECT_HASH="([0-9a-f]{64})"', definition)
    assert match
    return match[1], int(count)


@needs_mono
@pytest.mark.slow
def test_the_hash_is_that_of_the_sources(rules: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("Plugins", "Exported"))
    (project / "Exported/avatars").mkdir(parents=True)
    (project / "Content/Python/__pycache__").mkdir(exist_ok=True)
    (project / "Content/Python/__pycache__/glb.pyc").write_text("made by Python")
    hashes = set()
    # Lengths about a block of 64 bytes and its padding, and a name that sorts before a folder's.
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 5000):
        (project / "Exported/avatars/a.glb").write_bytes(b"\xfe" * size)
        (project / "Exported/avatars.txt").write_bytes(b"a" * size)
        assert applied(rules, project) == project_hash(project)
        hashes.add(applied(rules, project)[0])
    assert len(hashes) == 10


def test_the_rules_use_what_every_build_tool_shows_them() -> None:
    """Hashing types of .NET lie in assemblies that not all engines' build tools refer to."""
    text = (PROJECT / "Source/SpineTrackSynth/SpineTrackSynth.Build.cs").read_text()
    assert set(re.findall(r"^using ([\w.]+);", text, re.M)) == {
        "System", "System.Collections.Generic", "System.IO", "System.Text", "UnrealBuildTool",
    }  # fmt: skip
    assert "Cryptography" not in text


def test_the_constants_are_those_of_the_standard() -> None:
    """Fractions of the cube and square roots of the first primes, where no compiler checks them."""
    text = (PROJECT / "Source/SpineTrackSynth/SpineTrackSynth.Build.cs").read_text()
    found = [int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})", text)]
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, n))]
    assert len(primes) == 64

    def root(n: int, power: int) -> int:
        """The 32 bits after the point of the root of ``n``, in whole numbers."""
        low, high = 0, n << 32
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**power <= n << (32 * power) else (low, middle)
        return low & 0xFFFFFFFF

    assert found == [root(n, 3) for n in primes] + [root(n, 2) for n in primes[:8]]
