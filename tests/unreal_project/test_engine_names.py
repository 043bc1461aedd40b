"""The table of engine names in docs/unreal.md: whole, and with nothing in it that is not used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "unreal_project"
STUBS = Path(__file__).parent / "stubs"
HEADING = "## Names of the engine that are used, and since when they exist"
GENERAL = {"Type", "begin", "bool", "char", "const", "end", "operator", "override"}
"""Words that the patterns below find and that are no names of the engine."""


def without_comments(text: str) -> str:
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def words(text: str) -> set[str]:
    """Words of C++ or C# outside comments and strings."""
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', "", without_comments(text))
    return set(re.findall(r"[A-Za-z_]\w*", text))


def sources(*patterns: str) -> str:
    return "\n".join(
        path.read_text() for pattern in patterns for path in sorted(PROJECT.glob(pattern))
    )


def declared(header: Path) -> set[str]:
    """Names that a stub header declares; forward declarations belong to the others."""
    text = without_comments(header.read_text())
    text = re.sub(r"#include[^\n]*", "", text)
    names = set(re.findall(r"#define (\w+)", text))
    text = re.sub(r"#define(?:[^\n]*\\\n)*[^\n]*", "", text)
    kinds = r"\b(?:class|struct|namespace|enum(?: class)?)"
    names |= set(re.findall(kinds + r"\s+(\w+)[^;{()]*\{", text))
    for values in re.findall(r"\benum[^;{]*\{([^}]*)\}", text):
        names |= set(re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", values.strip()))
    text = re.sub(r"\b(?:class|struct) \w+;", "", text)
    names |= set(re.findall(r"(\w+)\(", text))
    names |= set(re.findall(r"\busing (\w+) =", text))
    names |= set(re.findall(r"\b(\w+)(?: : 1)?;", text))
    return {name for name in names if len(name) > 1 and not name.isdigit()} - GENERAL


def table() -> dict[str, dict[str, str]]:
    """For every place of the table the names in it, each with its version."""
    section = (ROOT / "docs/unreal.md").read_text().split(HEADING)[1].split("\n## ")[0]
    places: dict[str, dict[str, str]] = {}
    for line in section.splitlines():
        if not line.startswith("| `"):
            continue
        place, names, since, found = (cell.strip() for cell in line.strip("|").split(" | "))
        assert re.fullmatch(r"4|5\.\d|1\.0\.1|-", since), line
        assert found, line
        for name in re.findall(r"`([^`]+)`", names):
            here = places.setdefault(place.strip("`"), {})
            assert name not in here, f"{name} is there twice"
            here[name] = since
    return places


HEADERS = {
    path.relative_to(folder).as_posix(): path
    for folder in (STUBS / "engine", STUBS / "UnrealCV/Public")
    for path in folder.rglob("*.h")
}


def test_every_name_of_a_header_is_in_the_table_and_used() -> None:
    used = words(sources("Source/SpineTrackSynth/*.h", "Source/SpineTrackSynth/*.cpp"))
    wanted = {header: declared(path) & used for header, path in HEADERS.items()}
    found = {place: set(names) for place, names in table().items() if place.endswith(".h")}
    assert found == {header: names for header, names in wanted.items() if names}


def test_every_header_that_is_included_is_a_stub() -> None:
    text = sources("Source/SpineTrackSynth/*.h", "Source/SpineTrackSynth/*.cpp")
    own = {path.name for path in (PROJECT / "Source/SpineTrackSynth").glob("*.h")}
    own |= {f"{Path(name).stem}.generated.h" for name in own}
    assert set(re.findall(r'#include "([^"]+)"', text)) - own <= set(HEADERS)


def test_names_of_the_build_tool_are_in_the_table() -> None:
    stub = without_comments((STUBS / "UnrealBuildTool.cs").read_text())
    names = set(re.findall(r"\bpublic (?:class|enum) (\w+)", stub))
    names |= set(re.findall(r"\bpublic [\w<>]+ (\w+)(?: =|;)", stub))
    for values in re.findall(r"\benum \w+ \{([^}]*)\}", stub):
        names |= set(re.findall(r"\w+", values))
    assert set(table()["UnrealBuildTool"]) == names & words(sources("Source/**/*.cs"))


def test_names_of_the_editor_are_in_the_table() -> None:
    text = re.sub(r"#[^\n]*", "", sources("Content/Python/*.py"))
    places = table()
    classes = set(re.findall(r"\bunreal\.([A-Za-z_]\w+)", text)) - {"log"}
    stub = (STUBS / "unreal.pyi").read_text()
    methods = set(re.findall(r"def ([a-z]\w+)\(", stub)) & set(re.findall(r"\.([a-z]\w+)\(", text))
    python = places["unreal"]
    assert set(python) == classes | methods
    properties = re.findall(r'[sg]et_editor_property\(\s*f?"(\w+)"', text)
    properties += re.findall(r'_set_if_known\(\w+, "(\w+)"', text)
    overridden = re.search(r"for name, value in \{(.*?)\}\.items", text, re.S)
    assert overridden
    properties += re.findall(r'"(\w+)":', overridden[1])
    assert set(places["unreal, properties"]) == set(properties) - {"override_"}


@pytest.mark.parametrize("place", ["unreal", "unreal, properties", "UnrealBuildTool"])
def test_no_name_is_newer_than_the_least_version(place: str) -> None:
    newer = {n for n, since in table()[place].items() if since.startswith("5.") and since > "5.4"}
    script = (PROJECT / "Content/Python/spinetrack_import.py").read_text()
    left = set(re.findall(r'_set_if_known\(\w+, "(\w+)"', script))
    assert newer <= left
