"""Write the list of the gate's rules into docs/validation.md, between its two markers.

python scripts/rule_list.py
"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from spinetrack_synth.validation.registry import builtin_rules
from spinetrack_synth.validation.rules import NEEDS

PAGE = Path(__file__).parents[1] / "docs" / "validation.md"
BEGIN, END = "<!-- rules: begin (scripts/rule_list.py) -->", "<!-- rules: end -->"


def rule_list() -> str:
    """A section a family; each rule with what it finds, why it matters and an example."""
    lines: list[str] = []
    for family, members in groupby(builtin_rules(), key=lambda rule: rule.family):
        lines += ["", f"### {family[0].upper()}{family[1:]}"]
        for rule in members:
            needs = "; needs " + ", ".join(NEEDS[need] for need in rule.needs) if rule.needs else ""
            asked = "" if rule.default else "; runs when selected"
            lines += [
                "",
                f"#### {rule.code} {rule.name}",
                f"{str(rule.severity).capitalize()}{needs}{asked}. {rule.summary}. {rule.reason}",
                "",
                f"Example: {' '.join(rule.example.split())}",
            ]
    # What is not code and stands in angle brackets would be taken for HTML.
    text = "\n".join(lines).strip()
    return re.sub(r"(`[^`]*`)|<(?=\w)", lambda found: found[1] or "&lt;", text)


def with_rule_list(page: str) -> str:
    """The page with its list made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{rule_list()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_rule_list(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
