"""The C++ of the Unreal project: its syntax against stubs, its arithmetic against our own.

The stubs (``stubs/engine``, ``stubs/UnrealCV/Public``) are headers at the paths where the engine
and UnrealCV have them, with the names and signatures that are used. What passes here has not been
compiled by the engine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.rig import TWIST_FREE, bone_names
from spinetrack_synth.avatars.skinning import swings
from spinetrack_synth.rendering.unreal.axes import frames_to_unreal, frames_to_world

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "unreal_project/Source/SpineTrackSynth"
STUBS = Path(__file__).parent / "stubs"
Check = Callable[..., subprocess.CompletedProcess[str]]

UNREALCV = STUBS / "UnrealCV/Public"

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="g++ is not installed: apt-get install g++"
)


def compile_with(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    strict = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
    return subprocess.run([*strict, *arguments], capture_output=True, text=True)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the engine's header tool would write beside the sources: nothing."""
    folder = tmp_path_factory.mktemp("generated")
    for header in SOURCE.glob("*.h"):
        (folder / f"{header.stem}.generated.h").write_text("")
    return folder


@pytest.fixture(scope="module")
def check(generated: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Compiles a file, without making anything, where includes lead to what a module finds."""
    folders = [STUBS / "engine", UNREALCV, generated, SOURCE]
    includes = [f"-I{folder}" for folder in folders]
    defined = ['-DSPINETRACK_PROJECT_HASH=""', "-DSPINETRACKSYNTH_API="]
    return lambda source, *more: compile_with(
        ["-fsyntax-only", *defined, *includes, *more, str(source)]
    )


@needs_compiler
@pytest.mark.parametrize("source", sorted(SOURCE.glob("*.cpp")), ids=lambda path: path.name)
def test_every_file_passes_the_compiler(source: Path, check: Check) -> None:
    done = check(source)
    assert done.returncode == 0, done.stderr


@needs_compiler
def test_files_pass_together_and_headers_alone(check: Check, tmp_path: Path) -> None:
    """The build tool puts several files into one; a header must not need what others include."""
    together = tmp_path / "together.cpp"
    together.write_text("".join(f'#include "{path}"\n' for path in sorted(SOURCE.glob("*.cpp"))))
    assert check(together).returncode == 0, check(together).stderr
    for header in sorted(SOURCE.glob("*.h")):
        alone = tmp_path / "alone.cpp"
        alone.write_text(f'#include "{header}"\n')
        assert check(alone).returncode == 0, check(alone).stderr


def changed(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """One of our files with a mistake in it."""
    text = (SOURCE / name).read_text()
    assert text.count(old) == 1, f"{name} has not one {old}"
    path = tmp_path / name
    path.write_text(text.replace(old, new))
    return path


@needs_compiler
@pytest.mark.parametrize(
    "name, old, new, complaint",
    [
        ("SpineTrackCommands.cpp", '"Server/UnrealcvServer.h"', '"UnrealcvServer.h"',
         "No such file"),
        ("SpineTrackCommands.cpp", '"Server/CommandDispatcher.h"', '"CommandDispatcher.h"',
         "No such file"),
        ("SpineTrackLights.cpp", '"Engine/RectLight.h"', '"RectLight.h"', "No such file"),
        ("SpineTrackLights.cpp", '#include "Components/SkyLightComponent.h"\n', "",
         "incomplete type"),
        ("SpineTrackCommands.cpp", "SpineTrack::FVec& At =", "SpineTrack::FVec& Place =",
         "shadows a member"),
        ("SpineTrackLights.cpp", "SetRealTimeCaptureEnabled", "SetRealTimeCapture",
         "no member named"),
        ("SpineTrackCommands.cpp", "GetProject(const FArgs& /*Args*/)",
         "GetProject(const FArgs& Args)", "unused parameter"),
    ],
)  # fmt: skip
def test_the_check_sees_mistakes(
    name: str, old: str, new: str, complaint: str, check: Check, tmp_path: Path
) -> None:
    done = check(changed(tmp_path, name, old, new))
    assert done.returncode != 0 and complaint in done.stderr, done.stderr


@needs_compiler
@pytest.mark.parametrize(
    "mistake",
    ["FVector V(1.0);", "FString S = 3.5;", "AActor* A = nullptr; A->Fly();",
     "FUnrealcvServer::Get().GetCommandDispatcher()->BindCommand(1, 2);",
     'TSharedPtr<FCommandDispatcher> D; D->BindCommand(TEXT(""), {}, TEXT(""));'],
)  # fmt: skip
def test_the_signatures_are_checked(mistake: str, check: Check, tmp_path: Path) -> None:
    (tmp_path / "Wrong.cpp").write_text(
        '#include "Server/UnrealcvServer.h"\n#include "GameFramework/Actor.h"\n'
        f"void Wrong() {{ {mistake} }}\n"
    )
    assert check(tmp_path / "Wrong.cpp").returncode != 0


@needs_compiler
@pytest.mark.parametrize("minor, passes", [(3, False), (4, True), (6, True)])
def test_an_older_engine_is_refused(minor: int, passes: bool, check: Check) -> None:
    done = check(SOURCE / "SpineTrackSynthModule.cpp", f"-DENGINE_MINOR_VERSION={minor}")
    assert (done.returncode == 0) is passes
    assert passes or "needs Unreal Engine 5.4 or newer" in done.stderr


def test_the_commands_are_those_of_the_wire() -> None:
    bound = set(
        re.findall(r'Bind\(TEXT\("([^"]+)"\)', (SOURCE / "SpineTrackCommands.cpp").read_text())
    )
    assert bound == {
        "vget /avatars", "vset /avatars/spawn [str] [str]", "vset /avatar/[str]/pose [str]",
        "vget /avatar/[str]/pose", "vset /avatar/[str]/fingers [str]", "vset /place/[str]/[uint]",
        "vget /place", "vset /things [str]", "vset /lights [str]", "vget /project",
    }  # fmt: skip


PROGRAM = r"""
#include <cstdio>
#include <iostream>
#include "Frames.h"
#include "Photometry.h"

using namespace SpineTrack;

static FBoneFrame ReadFrame()
{
    FBoneFrame F;
    std::cin >> F.Location.X >> F.Location.Y >> F.Location.Z;
    std::cin >> F.Rotation.X >> F.Rotation.Y >> F.Rotation.Z >> F.Rotation.W;
    return F;
}

static void Write(const std::vector<FBoneFrame>& Frames)
{
    for (const FBoneFrame& F : Frames)
    {
        std::printf("%.12f %.12f %.12f %.12f %.12f %.12f %.12f\n", F.Location.X, F.Location.Y,
            F.Location.Z, F.Rotation.X, F.Rotation.Y, F.Rotation.Z, F.Rotation.W);
    }
}

int main()
{
    FSkeleton Skeleton;
    std::map<std::string, FBoneFrame> Bodies;
    int Count = 0;
    std::string Name;
    for (std::cin >> Count; Count > 0; --Count)
    {
        int Parent = 0;
        std::cin >> Name >> Parent;
        Skeleton.Names.push_back(BodyName(Name));
        Skeleton.Parents.push_back(Parent);
        Skeleton.Rest.push_back(ReadFrame());
    }
    for (std::cin >> Count; Count > 0; --Count)
    {
        std::cin >> Name;
        Bodies[BodyName(Name)] = ReadFrame();
    }
    std::map<std::string, double> Bends;
    for (std::cin >> Count; Count > 0; --Count)
    {
        int Hand = 0, Digit = 0, Knuckle = 0;
        std::cin >> Hand >> Digit >> Knuckle;
        std::cin >> Bends[FingerName(Hand, Digit, Knuckle)];
    }
    const std::vector<FBoneFrame> Frames = Posed(Skeleton, Bodies, Bends);
    Write(Frames);
    Write(InParents(Skeleton, Frames));
}
"""


@pytest.fixture(scope="module")
def poser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that poses a skeleton as the module does."""
    folder = tmp_path_factory.mktemp("poser")
    (folder / "poser.cpp").write_text(PROGRAM)
    done = compile_with([f"-I{SOURCE}", "-o", str(folder / "poser"), str(folder / "poser.cpp")])
    assert done.returncode == 0, done.stderr
    return folder / "poser"


def run(poser: Path, lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """What the program makes of its input: frames in the world and in the parents (N, 4, 4)."""
    text = "\n".join([*lines, "0"])
    done = subprocess.run([poser], input=text, capture_output=True, text=True, check=True)
    found = np.array([line.split() for line in done.stdout.splitlines()], float)
    frames = frames_to_world(found[:, :3], found[:, 3:])
    return frames[: len(frames) // 2], frames[len(frames) // 2 :]


def rows(frames_world: np.ndarray) -> list[str]:
    """Frames (N, 4, 4) as the wire has them."""
    places, turns = frames_to_unreal(frames_world)
    return [" ".join(f"{x:.12f}" for x in (*place, *turn)) for place, turn in zip(places, turns)]


@needs_compiler
@pytest.mark.parametrize("seed", range(4))
def test_bones_are_where_our_own_arithmetic_puts_them(poser: Path, seed: int) -> None:
    tree = load_model(fullbody_path())
    rng = np.random.default_rng(seed)
    q = tree.default_coordinates.copy()
    rest = body_transforms(tree, q)
    q[tree.rotational] = rng.uniform(-1.2, 1.2, tree.rotational.sum())
    q[~tree.rotational] += rng.uniform(-1.0, 1.0, (~tree.rotational).sum())
    posed = body_transforms(tree, q)
    helped = [tree.bodies.index(name) for name in TWIST_FREE]
    parents = [*tree.chain.parent, *tree.chain.parent[helped]]
    names = bone_names(tree)
    lines = [str(len(names))]
    # An engine may spell names in its own way.
    lines += [
        f"{name.upper() if seed % 2 else name} {parent} {row}"
        for name, parent, row in zip(names, parents, rows(np.concatenate([rest, rest[helped]])))
    ]
    lines += [str(len(tree.bodies))]
    lines += [f"{name} {row}" for name, row in zip(tree.bodies, rows(posed))]
    frames, local = run(poser, lines)

    np.testing.assert_allclose(frames[: len(posed)], posed, atol=1e-9)
    motion = posed @ np.linalg.inv(rest)
    for helper, body in enumerate(helped):
        above = tree.chain.parent[body]
        below = list(tree.chain.parent).index(body)
        axis = rest[below, :3, 3] - rest[body, :3, 3]
        axis /= np.linalg.norm(axis)
        joint = rest[body, :3, 3]
        swing = swings(motion, np.array([[above, body]]), joint[None], axis[None])[0] @ rest[body]
        np.testing.assert_allclose(frames[len(posed) + helper], swing, atol=1e-9)
    for bone, parent in enumerate(parents):
        whole = local[bone] if parent < 0 else frames[parent] @ local[bone]
        np.testing.assert_allclose(whole, frames[bone], atol=1e-9)


@needs_compiler
def test_fingers_bend_as_the_exported_ones(poser: Path, body_data: None) -> None:
    pytest.importorskip("pygltflib", reason="pip install 'spinetrack-synth[unreal]'")
    from spinetrack_synth.export.avatars import bones_world, skeleton

    avatar = bare_avatar(sample_subject(7, 1))
    bones = skeleton(avatar)
    bends = np.random.default_rng(1).uniform(-0.5, 1.5, (2, 5, 3))
    posed = body_transforms(avatar.tree, avatar.tree.default_coordinates)
    lines = [str(len(bones.names))]
    lines += [
        f"{name} {parent} {row}"
        for name, parent, row in zip(bones.names, bones.parent, rows(bones.rest_world))
    ]
    lines += [str(len(posed))]
    lines += [f"{name} {row}" for name, row in zip(avatar.tree.bodies, rows(posed))]
    lines += [str(bends.size)]
    lines += [f"{h} {d} {k} {angle:.12f}" for (h, d, k), angle in np.ndenumerate(bends)]
    frames, _ = run(poser, lines)
    np.testing.assert_allclose(frames, bones_world(avatar, posed, bends), atol=1e-9)


@needs_compiler
def test_a_body_that_is_not_given_keeps_its_place_in_its_parent(poser: Path) -> None:
    rest = np.tile(np.eye(4), (2, 1, 1))
    rest[1, :3, 3] = [0.0, 0.4, 0.1]
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    turned[:3, 3] = [1.0, 2.0, 3.0]
    lines = ["2", f"pelvis -1 {rows(rest)[0]}", f"T12 0 {rows(rest)[1]}"]
    lines += ["1", f"pelvis {rows(turned[None])[0]}"]
    frames, _ = run(poser, lines)
    np.testing.assert_allclose(frames[1], turned @ rest[1], atol=1e-9)


LIGHTS = r"""
#include <cstdio>
#include "Photometry.h"

using namespace SpineTrack;

int main()
{
    const FPanel Ceiling{{0, 0, 300}, {50, 0, 0}, {0, 25, 0}, {2, 2, 2}};
    FPanel Brighter = Ceiling;
    Brighter.Radiance = {6, 6, 6};
    FSun Noon, Evening;
    Evening.Toward = {0.98, 0, 0.17};
    const FVec Down = Facing(Ceiling);
    std::printf("%.9f %.9f %.9f %.9f\n", Down.X, Down.Y, Down.Z, AreaM2(Ceiling));
    std::printf("%.9f %.9f %.9f\n", LightScale({Ceiling}, {}, {}, 1.0),
        LightScale({Brighter}, {}, {}, 1.0), LightScale({Ceiling, Ceiling}, {}, {}, 1.0));
    std::printf("%.9f %.9f %.9f\n", LightScale({}, {Noon}, {}, 1.0),
        LightScale({}, {Evening}, {}, 1.0), LightScale({}, {Noon}, {}, 2.0));
    std::printf("%.9f %.9f %.9f\n", LightScale({}, {}, {{0.5, 0.5, 0.5}}, 1.0),
        LightScale({}, {}, {}, 1.0), WhiteIlluminance);
}
"""


@needs_compiler
def test_lights_are_scaled_to_one_brightness(tmp_path: Path) -> None:
    (tmp_path / "lights.cpp").write_text(LIGHTS)
    done = compile_with(
        [f"-I{SOURCE}", "-o", str(tmp_path / "lights"), str(tmp_path / "lights.cpp")]
    )
    assert done.returncode == 0, done.stderr
    out = subprocess.run([tmp_path / "lights"], capture_output=True, text=True, check=True).stdout
    facing, panels, suns, rest = (np.array(line.split(), float) for line in out.splitlines())
    np.testing.assert_allclose(facing, [0, 0, -1, 0.5])
    np.testing.assert_allclose(panels, panels[0] * np.array([1, 1 / 3, 1 / 2]), rtol=1e-6)
    assert suns[1] > suns[0]
    np.testing.assert_allclose(suns[2], 2 * suns[0], rtol=1e-6)
    np.testing.assert_allclose(rest[0] * np.pi * 0.5, rest[2], rtol=1e-6)
    assert rest[1] == 1
