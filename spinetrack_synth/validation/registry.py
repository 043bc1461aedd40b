"""All rules: the built-in families and those of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module, metadata
from types import ModuleType
from typing import Any, Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.rules import FAMILIES, Rule

ENTRY_POINTS: Final = "spinetrack_synth.rules"
"""Entry points of this group name a rule, a list of rules, or a module that holds rules."""

MODULES: Final = (
    "file",
    "schema",
    "categories",
    "identity",
    "geometry",
    "coordinates",
    "masks",
    "visibility",
    "sides",
    "spine",
    "anatomy",
    "ground_truth",
    "spine_truth",
    "images",
    "duplicates",
    "leakage",
    "drift",
    "metadata",
)
"""The modules of this package that hold rules, in the order the rules run."""


@cache
def builtin_rules() -> tuple[Rule, ...]:
    """The rules of this package, by code."""
    package = __name__.rpartition(".")[0]
    modules = [import_module(f"{package}.{name}") for name in MODULES]
    rules = [found for module in modules for found in _rules_in(module)]
    return tuple(sorted(rules, key=lambda found: found.code))


def all_rules() -> tuple[Rule, ...]:
    """The built-in rules and those of installed plugins, by code.

    Raises UserError where a plugin cannot be loaded or uses a code that is taken.
    """
    rules = {found.code: found for found in builtin_rules()}
    for entry in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        origin = f"plugin {entry.name} ({entry.value})"
        try:
            loaded = entry.load()
        except Exception as error:
            raise UserError(
                f"{origin}: cannot be loaded: {type(error).__name__}: {error}; mend or uninstall it"
            ) from error
        found = _rules_in(loaded)
        if not found:
            raise UserError(f"{origin}: holds no rules: name a rule, a list of rules or a module")
        for plugin_rule in found:
            if plugin_rule.code in rules:
                raise UserError(f"{origin}: the code {plugin_rule.code} is taken; choose another")
            rules[plugin_rule.code] = plugin_rule
    return tuple(sorted(rules.values(), key=lambda found: found.code))


def _rules_in(loaded: Any) -> list[Rule]:
    if isinstance(loaded, Rule):
        return [loaded]
    things: Iterable[Any] = vars(loaded).values() if isinstance(loaded, ModuleType) else loaded
    return [thing for thing in things if isinstance(thing, Rule)] if _iterable(things) else []


def _iterable(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def choose(
    rules: Sequence[Rule], select: Sequence[str], extend: Sequence[str], ignore: Sequence[str]
) -> tuple[Rule, ...]:
    """The rules to run. Each selector is a code, the beginning of codes, a family, a name or ALL;
    where both select and ignore a rule, the longer selector wins.

    Raises UserError at a selector that means no rule.
    """
    for selector in (*select, *extend, *ignore):
        known = selector.casefold() in FAMILIES
        if not known and not any(_means(selector, candidate) for candidate in rules):
            words = [word for found in rules for word in (found.code, found.name, found.family)]
            close = get_close_matches(selector, words, 1)
            hint = f"did you mean {close[0]}?" if close else "see `spinetrack-synth rules`"
            raise UserError(f"no rule is called {selector!r}; {hint}")
    chosen = []
    for candidate in rules:
        wanted = _strength((*select, *extend), candidate)
        if not select and candidate.default:
            wanted = max(wanted, 0)
        if wanted > _strength(ignore, candidate):
            chosen.append(candidate)
    return tuple(chosen)


def _means(selector: str, candidate: Rule) -> bool:
    word = selector.casefold()
    return (
        word == "all"
        or word in (candidate.family, candidate.name)
        or (any(c.isdigit() for c in word) and candidate.code.casefold().startswith(word))
        or word == candidate.code.casefold().rstrip("0123456789")
    )


def _strength(selectors: Sequence[str], candidate: Rule) -> int:
    """How closely the closest of the selectors means a rule; -1 where none does."""
    strengths = [-1]
    for selector in selectors:
        if _means(selector, candidate):
            exact = selector.casefold() == candidate.name
            family = selector.casefold() in FAMILIES
            strengths.append(
                99 if exact else 0 if selector.casefold() == "all" else 2 if family
                else len(selector)
            )  # fmt: skip
    return max(strengths)
