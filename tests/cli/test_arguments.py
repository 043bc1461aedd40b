"""What arguments of our commands say is known without running them."""

from __future__ import annotations

import pytest

from spinetrack_synth.cli.arguments import parse
from spinetrack_synth.errors import UserError


def test_paths_and_values_are_those_that_the_command_would_get() -> None:
    typed = parse(
        "validate a.json b --images pictures --output-file - --output-file c.html".split()
    )
    assert typed.command == "validate"
    assert typed.paths == ("a.json", "b", "pictures", "c.html")
    typed = parse("motion convert walk.bvh --model m.osim walk.mot".split())
    assert typed.command == "motion convert"
    assert set(typed.paths) == {"walk.bvh", "walk.mot", "m.osim"}
    assert parse("render --scenes yoga --count 3".split()).values["count"] == 3


def test_help_makes_no_step() -> None:
    with pytest.raises(UserError, match="only tells what there is, and makes no step"):
        parse(["render", "--help"])
