"""``rules``: the rules of the gate, and what each is for."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spinetrack_synth.validation.rules import Rule


@click.command("rules", short_help="List the rules of validate, or explain some.")
@click.argument("names", nargs=-1, metavar="[RULE]...")
def command(names: tuple[str, ...]) -> None:
    """List the rules that validate runs; explain those that are named by code, family or name.

    \b
    Examples:
      spinetrack-synth rules
      spinetrack-synth rules SPT301
      spinetrack-synth rules leakage
    """
    from spinetrack_synth.validation.registry import all_rules, choose

    rules = all_rules()
    if names:
        click.echo("\n\n".join(_explain(rule) for rule in choose(rules, names, (), ())))
        return
    for family, members in groupby(rules, key=lambda rule: rule.family):
        click.echo(click.style(f"{family}:", bold=True))
        for rule in members:
            asked = "" if rule.default else " (when selected)"
            click.echo(f"  {rule.code}  {rule.severity!s:7}  {rule.name}: {rule.summary}{asked}")


def _explain(rule: Rule) -> str:
    from spinetrack_synth.validation.rules import NEEDS

    title = click.style(f"{rule.code} {rule.name}", bold=True)
    lines = [f"{title} ({rule.family}, {rule.severity})", "", f"{rule.summary}.", "", rule.reason]
    lines += ["", f"Example: {rule.example}"]
    if rule.needs:
        lines += ["", "Needs " + ", ".join(NEEDS[need] for need in rule.needs) + "."]
    if not rule.default:
        lines += ["", f"Runs only when selected: --extend-select {rule.code}"]
    return "\n".join(lines)
