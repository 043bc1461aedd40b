"""Thousands of mutated files: whatever stands in them, there is a report or one clear line."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from clean import clean
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spinetrack_synth.coco.parsing import parse
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.engine import RULE_FAILED, validate
from spinetrack_synth.validation.registry import builtin_rules
from spinetrack_synth.validation.reporting import FORMATS, reporter

pytestmark = pytest.mark.slow

NONSENSE: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 37, 0.5, -0.0, 1e308, -1e308, 5e-324, math.nan, math.inf,
    2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**25, 10**400, "", "x", "12", "\ud800", "\x1b[31m",
    "é" * 200, "\0", "../..", [], {}, [[]], [None], {"id": 1}, [1, 2, 3], [[1, 2]], {"": {}},
    {"size": [2, 2], "counts": "0"}, {"size": [3, 3], "counts": [4, 5]},
    {"size": [480, 640], "counts": "PP9o"}, [0.0] * 111, ["a"] * 4, [[10, 10, 20, 10, 20, 20]],
]  # fmt: skip


def small() -> dict[str, Any]:
    """The clean file with one image of two people: quick to check ten thousand times."""
    data = clean()
    data["images"], data["annotations"] = data["images"][:1], data["annotations"][:2]
    return data


def ways(value: Any, way: tuple = ()) -> list[tuple]:
    """The ways to all values in a file."""
    found = [way] if way else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        found += ways(child, (*way, key)) if isinstance(child, dict | list) else [(*way, key)]
    return found


def mutate(data: Any, rng: random.Random, all_ways: list[tuple]) -> None:
    """Replace, remove, repeat or move a value somewhere in the file."""
    way = rng.choice([w for w in all_ways if len(w) <= rng.randint(1, 5)] or all_ways)
    target = data
    try:
        for step in way[:-1]:
            target = target[step]
        act = rng.randrange(6)
        if act <= 2:
            target[way[-1]] = copy.deepcopy(rng.choice(NONSENSE))
        elif act == 3:
            del target[way[-1]]
        elif act == 4 and isinstance(target, list):
            target.insert(rng.randrange(len(target) + 1), copy.deepcopy(target[way[-1]]))
        elif act == 4:
            target["_" + str(way[-1])] = target.pop(way[-1])
        else:
            other = rng.choice(all_ways)
            source = data
            for step in other:
                source = source[step]
            target[way[-1]] = copy.deepcopy(source)
    except (KeyError, IndexError, TypeError, AttributeError):
        pass  # an earlier mutation has removed it


QUICK = [rule for rule in builtin_rules() if not rule.slow]


def must_survive(content: bytes) -> None:
    try:
        data, quirks = parse(content, "a.json")
    except UserError as error:
        assert "\n" not in str(error)
        return
    except RecursionError:  # pragma: no cover
        pytest.fail("nested too deep and not told so")
    dataset = Dataset(Path("a.json"), data, quirks=tuple(quirks))
    report = validate([dataset], QUICK)
    failed = [finding.message for finding in report.findings if finding.code == RULE_FAILED]
    assert not failed, content[:2000]


def structures(count: int, seed: int) -> None:
    rng = random.Random(seed)
    whole = small()
    all_ways = ways(whole)
    for _ in range(count):
        data = copy.deepcopy(whole)
        for _ in range(rng.choice((1, 1, 2, 4, 9))):
            mutate(data, rng, all_ways)
        must_survive(json.dumps(data).encode())


def texts(count: int, seed: int) -> None:
    """Cut, repeat, exchange and overwrite bytes; what no longer parses must end in one line."""
    rng = random.Random(seed)
    whole = json.dumps(small()).encode()
    tokens = [
        b"NaN",
        b"1e999",
        b"[[[[",
        b"}",
        b'"',
        b"\\u0000",
        b"\xff",
        b"-",
        b"null",
        b",,",
        b":",
    ]
    for _ in range(count):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 5))):
            start = rng.randrange(len(content) + 1)
            stop = min(len(content), start + rng.choice((0, 1, 2, 30)))
            act = rng.randrange(5)
            if act == 0:
                content[start:stop] = rng.choice(tokens)
            elif act == 1:
                del content[start:stop]
            elif act == 2:
                content[start:start] = content[start:stop]
            elif act == 3 and rng.random() < 0.3:
                del content[start:]
            elif start < len(content):
                content[start] = rng.choice(b'0123456789-.eE+"[]{},:\xc3\x00 ')
        must_survive(bytes(content))


def test_some_mutated_files_never_make_a_traceback() -> None:
    structures(200, seed=1)
    texts(200, seed=2)


@pytest.mark.exhaustive
def test_many_mutated_files_never_make_a_traceback() -> None:
    structures(5000, seed=3)
    texts(5000, seed=4)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.fixed_dictionaries(
        {},
        optional={
            name: json_values | st.lists(st.dictionaries(
                st.sampled_from(["id", "image_id", "category_id", "keypoints", "bbox", "area",
                                 "iscrowd", "segmentation", "num_keypoints", "file_name", "width",
                                 "height", "skeleton", "sigmas", "name", "license", "K"]),
                json_values), max_size=3)
            for name in ("images", "annotations", "categories", "info", "licenses")
        },
    )
)  # fmt: skip
def test_files_made_of_nonsense_never_make_a_traceback(data: dict[str, Any]) -> None:
    must_survive(json.dumps(data).encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n ", "the file is empty"),
        (b"{", "the JSON ends in the middle"),
        (b'{"images": [{"id": 1', "the JSON ends in the middle"),
        (b'{"images": "abc', "the JSON ends in the middle"),
        (b"[]", "is it a file of results?"),
        (b"17", "holds 17, expected an object"),
        (b'"text"', "holds a text"),
        (b"{'images': []}", "no JSON: line 1, column 2"),
        (b"\x89PNG\r\n\x1a\n", "no JSON: line 1, column 1"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"images": ' + b"9" * 5000 + b"}", "not JSON that can be read"),
        (b"\x00" * 50, "no JSON"),
    ],
)
def test_what_is_no_dataset_ends_in_one_line(content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=r"^a\.json: ") as caught:
        parse(content, "a.json")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_reports_of_nonsense_can_be_written(name: str) -> None:
    rng = random.Random(5)
    whole = small()
    all_ways = ways(whole)
    for _ in range(25):
        data = copy.deepcopy(whole)
        for _ in range(6):
            mutate(data, rng, all_ways)
        try:
            parsed, quirks = parse(json.dumps(data).encode(), "a.json")
        except UserError:
            continue
        report = validate([Dataset(Path("a.json"), parsed, quirks=tuple(quirks))], QUICK)
        assert reporter(name)(report, 5).encode("utf-8", "strict") is not None
