"""The couplers of an .osim file, eliminated: which coordinates are free, what the others follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.amounts import Step, Steps
from spinetrack_synth.anatomy.constraints import QUANTITY, Tie
from spinetrack_synth.anatomy.documents import ELSE_OPENSIM, Damaged, one_float
from spinetrack_synth.anatomy.functions import (
    Multivariate,
    Piecewise,
    UnsupportedFunction,
    parse_function,
    parse_multivariate,
    polynomial,
)
from spinetrack_synth.anatomy.osim.constraints import COUPLER, enforced
from spinetrack_synth.anatomy.osim.coordinates import CONTRADICTION, Coordinate
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


class Elimination(NamedTuple):
    """How n coordinates follow k ``free`` ones: ``q = coupling @ z + offset`` (n, k), (n,), then
    the ``steps`` of the couplers that are no lines. The couplers that cannot be followed are
    ``ties``, on quantities that ``tie_steps`` reckon."""

    free: tuple[str, ...]
    coupling: Array
    offset: Array
    steps: tuple[Step, ...]
    tie_steps: tuple[Step, ...]
    ties: tuple[Tie, ...]


def eliminated(path: Path, model: Element, coordinates: list[Coordinate]) -> Elimination:
    """Eliminate the couplers in force and the coordinates that are held.

    Raises UserError where a coupler is damaged, not supported, or contradicts what is held.
    """
    index = {coordinate.name: i for i, coordinate in enumerate(coordinates)}
    tied = _Tied()
    held, couplers = _held(path, coordinates, _read(path, model, index, tied), tied)
    couplers = _drivers_first(couplers, tied)
    free = tuple(c.name for c in coordinates if c.name not in couplers and c.name not in held)
    coupling, offset = np.zeros((len(index), len(free))), np.zeros(len(index))
    coupling[[index[name] for name in free], np.arange(len(free))] = 1.0
    for name, value in held.items():
        offset[index[name]] = value
    steps = Steps("coupler")
    curved: set[str] = set()
    for name, coupler in couplers.items():
        if coupler.curve is not None or curved & set(coupler.drivers):
            coupler.take(steps, name)
            curved.add(name)
            continue
        offset[index[name]] = coupler.intercept
        for driver, slope in zip(coupler.drivers, coupler.slopes):
            coupling[index[name]] += slope * coupling[index[driver]]
            offset[index[name]] += slope * offset[index[driver]]
    return Elimination(
        free, coupling, offset, tuple(steps.taken), tuple(tied.steps.taken), tuple(tied.ties)
    )


@dataclass(frozen=True)
class _Coupler:
    """``driven`` is a line of the drivers, or where there is a ``curve``, that function of them."""

    name: str
    driven: str
    drivers: tuple[str, ...]
    slopes: tuple[float, ...]
    intercept: float
    curve: Piecewise | Multivariate | None

    def __call__(self, values: Mapping[str, float]) -> float:
        """What the driven coordinate is, given its drivers."""
        if isinstance(self.curve, Piecewise):
            return self.curve(values[self.drivers[0]])
        if self.curve is not None:
            return self.curve([values[driver] for driver in self.drivers])
        return self.intercept + sum(s * values[d] for d, s in zip(self.drivers, self.slopes))

    def take(self, steps: Steps, target: str | None) -> str:
        """Add the steps that reckon it; returns the name of the quantity, ``target`` if given."""
        if isinstance(self.curve, Piecewise):
            return steps.pieces(self.curve, self.drivers[0], target)
        if self.curve is not None:
            return steps.polynomial(self.curve, self.drivers, target)
        return steps.total(dict(zip(self.drivers, self.slopes)), self.intercept, target)


class _Tied:
    """Couplers held as equations to be solved: their ties, and the steps that reckon these."""

    def __init__(self) -> None:
        self.steps = Steps("tie")
        self.ties: list[Tie] = []

    def add(self, coupler: _Coupler) -> None:
        """Hold a coupler as an equation: that what it drives differs by nothing from its value."""
        wanted = coupler.take(self.steps, None)
        away = self.steps.total({coupler.driven: 1.0, wanted: -1.0})
        self.ties.append(Tie(coupler.name, QUANTITY, quantity=away))


def _read(path: Path, model: Element, known: Collection[str], tied: _Tied) -> dict[str, _Coupler]:
    """The couplers in force, by what they drive; of two that drive the same, the second is an
    equation to be solved."""
    couplers: dict[str, _Coupler] = {}
    for node in enforced(model):
        if node.tag == COUPLER:
            coupler = _coupler(path, node, known)
            if coupler.driven in couplers:
                tied.add(coupler)
            else:
                couplers[coupler.driven] = coupler
    return couplers


def _coupler(path: Path, node: Element, known: Collection[str]) -> _Coupler:
    where = f"{path}: coupler {node.get('name')}"
    driven = (node.findtext("dependent_coordinate_name") or "").strip()
    drivers = tuple((node.findtext("independent_coordinate_names") or "").split())
    for name in (driven, *drivers):
        if name not in known:
            raise UserError(f"{where}: no coordinate '{name}' in the model")
    function = node.find("coupled_coordinates_function/*")
    if function is None:
        raise UserError(f"{where}: has no function")
    if driven in drivers:
        raise UserError(f"{where}: couples {driven} to itself: take it out")
    factor = one_float(node, "scale_factor", 1)
    name = node.get("name", "")
    try:
        if len(drivers) != 1:
            several = parse_multivariate(function, len(drivers)).times(factor)
            if several.line is None:
                return _Coupler(name, driven, drivers, (), 0.0, several)
            return _line(name, driven, drivers, *several.line)
        curve = parse_function(function).times(factor)
    except UnsupportedFunction as error:
        raise UserError(f"{where}: function {error} is not supported; {ELSE_OPENSIM}") from None
    except Damaged as error:
        raise UserError(f"{where}: {error}") from None
    if curve.line is not None:
        slope, intercept = curve.line
        return _line(name, driven, drivers, np.array([slope]), intercept)
    return _Coupler(name, driven, drivers, (), 0.0, curve)


def _line(
    name: str, driven: str, drivers: tuple[str, ...], slopes: Array, intercept: float
) -> _Coupler:
    """A linear coupler, without the drivers that it does not heed."""
    heeded = [(driver, slope) for driver, slope in zip(drivers, slopes.tolist()) if slope != 0]
    names, kept = tuple(d for d, _ in heeded), tuple(s for _, s in heeded)
    return _Coupler(name, driven, names, kept, intercept, None)


def _held(
    path: Path, coordinates: list[Coordinate], couplers: dict[str, _Coupler], tied: _Tied
) -> tuple[dict[str, float], dict[str, _Coupler]]:
    """The coordinates that cannot move with their values, and the couplers left over.

    A coupler hands a hold on from its drivers to what it drives, and from there back to a
    driver: OpenSim sees one equation, whichever side of it is locked.
    """
    held = {c.name: c.held for c in coordinates if c.held is not None}
    defaults = {c.name: c.default for c in coordinates}
    left = dict(couplers)

    def open_names(coupler: _Coupler) -> set[str]:
        return {coupler.driven, *coupler.drivers} - held.keys()

    while ready := next((c for c in left.values() if len(open_names(c)) <= 1), None):
        del left[ready.driven]
        driven, where = ready.driven, f"{path}: coordinate {ready.driven}"
        if driven not in held:
            held[driven] = ready(held)
        elif not (names := open_names(ready)):
            if abs(ready(held) - held[driven]) > CONTRADICTION:
                raise UserError(
                    f"{where} is held at {held[driven]:g}, but its coupler to "
                    f"{' and '.join(ready.drivers)}, held as well, makes it {ready(held):g}"
                )
        else:
            driver = names.pop()
            value = _driver_at(ready, driver, held, defaults[driver])
            if value is None:
                raise UserError(
                    f"{where} is held at {held[driven]:g}, which its coupler to {driver} "
                    "never makes it"
                )
            held[driver] = value
    for coupler in [coupler for coupler in left.values() if coupler.driven in held]:
        tied.add(left.pop(coupler.driven))
    return held, left


def _driver_at(
    coupler: _Coupler, driver: str, held: Mapping[str, float], near: float
) -> float | None:
    """Where a coupler's one driver that is not held must be for what is driven to be where it is
    held; of several such places of a curve the one nearest to ``near``, None without any."""
    wanted = held[coupler.driven]
    curve = coupler.curve
    if isinstance(curve, Multivariate):
        at = coupler.drivers.index(driver)
        others = np.array([held.get(name, 0.0) for name in coupler.drivers])
        powers = np.delete(others**curve.exponents, at, axis=1).prod(axis=1)
        ascending = np.bincount(curve.exponents[:, at], weights=curve.coefficients * powers)
        curve = polynomial(ascending[::-1])
    if curve is not None:
        places = curve.reaches(wanted)
        return float(places[np.argmin(np.abs(places - near))]) if len(places) else None
    rest = coupler({**held, driver: 0.0})
    return (wanted - rest) / (coupler({**held, driver: 1.0}) - rest)


def _drivers_first(couplers: dict[str, _Coupler], tied: _Tied) -> dict[str, _Coupler]:
    """The couplers in an order in which each follows its drivers.

    Those that drive one another in a circle cannot all be followed: of each circle one becomes
    an equation to be solved.
    """
    ordered: dict[str, _Coupler] = {}
    left = dict(couplers)
    while left:
        ready = next((c for c in left.values() if not left.keys() & set(c.drivers)), None)
        if ready is None:
            ready = left.popitem()[1]
            tied.add(ready)
        else:
            ordered[ready.driven] = left.pop(ready.driven)
    return ordered
