"""The user's MakeHuman assets on our people: what each covers, who wears what, and how it fits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import ARM_BONES, BodyData
from spinetrack_synth.avatars.body import (
    MAKEHUMAN2WORLD,
    MIDDLE_BUILD,
    RestBody,
    Subject,
    body_vertices,
    shape,
)
from spinetrack_synth.avatars.cuts import Cut
from spinetrack_synth.avatars.figure import measure
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.community import AssetFolder
from spinetrack_synth.community.folder import Skin, Wearable

_DM: Final = 0.1
"""Metres in MakeHuman's unit."""

_STREAM: Final = 0xA55E7
_SKIN_STREAM: Final = 0x5C14

_COVERED: Final = 0.55
"""Share of a region's skin that an asset has to be near to cover it."""

_UNDER_M: Final = 0.006
_NEAR_M: Final = 0.035
"""Skin draws back so far under an asset, wherever that is so near."""

REPLACED: Final = {
    "whole": ("top", "bottom", "whole"),
    "top": ("top", "whole"),
    "bottom": ("bottom", "whole"),
    "shoes": ("shoes",),
}
"""What of our own clothes an asset of a kind takes the place of."""

# How often somebody in assets wears one of a kind, where the folder has one.
_CHANCE: Final = {"shoes": 0.7, "hair": 0.6, "hat": 0.25, "small": 0.3}


@dataclass(frozen=True, eq=False)
class Fitting:
    """An asset made ready for all bodies: its P corners as a ``Part`` has them.

    ``kind`` is whole, top, bottom, shoes, hair, hat, small (worn beside clothes) or under (not worn
    for it covers nobody); ``shod`` tells whether it covers the feet; ``row`` (P,) the rows of the
    fit.
    """

    wearable: Wearable
    kind: str
    shod: bool
    stencil: csr_array
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    weld: NDArray[np.int32]
    row: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The assets that somebody wears in an outfit."""

    fittings: tuple[Fitting, ...] = ()

    def beside(self, cuts: tuple[Cut, ...], spare: tuple[Cut, ...]) -> tuple[Cut, ...]:
        """Our own garments that are worn with the assets; ``spare`` clothes what would be bare."""
        taken = {kind for f in self.fittings for kind in REPLACED.get(f.kind, ())}
        if not taken:
            return cuts
        kept = tuple(cut for cut in cuts if _kind(cut) not in taken)
        whole = "bottom" in taken and "top" in taken
        dressed = {_kind(cut) for cut in kept} | {"top" if "top" in taken else "bottom"}
        if whole or {"top", "bottom"} <= dressed:
            return kept
        missing = "bottom" if "top" in taken else "top"
        return (*kept, *[cut for cut in spare if _kind(cut) == missing][:1])

    @property
    def hair(self) -> bool:
        """Whether the assets take the place of the person's own hair."""
        return any(f.kind == "hair" for f in self.fittings)

    @property
    def on_head(self) -> bool:
        """Whether the assets leave no room for a hat of ours."""
        return any(f.kind in ("hair", "hat") for f in self.fittings)


def _kind(cut: Cut) -> str:
    """What one of our garments covers, in the words of ``REPLACED``."""
    if cut.neck is not None:
        whole = cut.leg is not None or cut.brief is not None or cut.skirt is not None
        return "whole" if whole else "top"
    return "bottom" if cut.waist is not None or cut.leg is not None else "shoes"


def choose_assets(data: BodyData, folder: AssetFolder, subject: Subject, outfit: int) -> Chosen:
    """Draw what a subject wears of a folder in the outfit of a number, if anything."""
    rng = np.random.default_rng([subject.seed, _STREAM, outfit])
    if rng.random() >= folder.share:
        return Chosen()
    fitting = [fittings(data, w) for w in folder.wearables if suits(w.name, w.fit.tags, subject)]
    by_kind: dict[str, list[Fitting]] = {}
    for one in fitting:
        by_kind.setdefault(one.kind, []).append(one)

    def pick(*kinds: str) -> Fitting | None:
        found = [f for kind in kinds for f in by_kind.get(kind, [])]
        return found[int(rng.integers(len(found)))] if found else None

    worn = [pick("whole", "top", "bottom")]
    if worn[0] is not None and worn[0].kind != "whole" and rng.random() < 0.7:
        worn.append(pick("bottom" if worn[0].kind == "top" else "top"))
    worn += [pick(kind) for kind, chance in _CHANCE.items() if rng.random() < chance]
    return Chosen(tuple(one for one in worn if one is not None))


def choose_skin(folder: AssetFolder, subject: Subject) -> Skin | None:
    """Draw a subject's skin of a folder, None for its own."""
    rng = np.random.default_rng([subject.seed, _SKIN_STREAM])
    found = [skin for skin in folder.skins if suits(skin.name, frozenset(), subject)]
    if not found or rng.random() >= folder.share:
        return None
    return found[int(rng.integers(len(found)))]


def suits(name: str, tags: frozenset[str], subject: Subject) -> bool:
    """Whether an asset is for such a person, as far as its name and tags say for whom it is."""
    words = set(re.split(r"[^a-z]+", name.lower())) | tags
    women, men = words & {"female", "woman", "women"}, words & {"male", "man", "men"}
    if (women or men) and not (women if subject.sex == "female" else men):
        return False
    ages = {"young": (0, 45), "middleage": (35, 65), "old": (55, 200)}
    aged = [span for word, span in ages.items() if word in words]
    if aged and not any(low <= subject.age_years <= high for low, high in aged):
        return False
    origins = ("african", "asian", "caucasian")
    there = [origin in words for origin in origins]
    return not any(there) or there[int(np.argmax(subject.ancestry))]


@lru_cache(maxsize=512)
def fittings(data: BodyData, wearable: Wearable) -> Fitting:
    """An asset made ready for all bodies."""
    mesh, fit = wearable.mesh, wearable.fit
    size = len(mesh.uv)
    keys, corner = np.unique(
        mesh.faces.astype(np.int64) * size + mesh.faces_uv, return_inverse=True
    )
    row = (keys // size).astype(np.int32)
    count = len(fit.base)
    rows = np.repeat(np.arange(count), 3)
    stencil = csr_array(
        (fit.weight.ravel(), (rows, fit.base.ravel())), shape=(count, len(data.vertices))
    )
    whole = Fitting(
        wearable=wearable,
        kind="",
        shod=False,
        stencil=csr_array(stencil[row]),
        faces=corner.reshape(mesh.faces.shape).astype(np.int32),
        uv=mesh.uv[keys % size],
        weld=np.unique(row, return_inverse=True)[1].astype(np.int32),
        row=row,
    )
    kind, shod = _covers(data, whole)
    return replace(whole, kind=kind, shod=shod)


def lift_m(fitting: Fitting, rest_world: Array) -> Array:
    """How far (P, 3) m an asset's corners lie from their places on a body at rest (V, 3) m."""
    fit = fitting.wearable.fit
    scale = np.ones(3)
    body = rest_world @ MAKEHUMAN2WORLD  # metres, MakeHuman's axes
    for axis, known in enumerate(fit.scales):
        if known is not None:
            one, other, reference = known
            scale[axis] = abs(body[one, axis] - body[other, axis]) / (reference * _DM)
    lift: Array = _DM * (fit.offset * scale) @ MAKEHUMAN2WORLD.T
    return lift[fitting.row]


def asset_part(fitting: Fitting, rest: RestBody) -> Part:
    """An asset on a body."""
    return Part(
        name="hair" if fitting.kind == "hair" else fitting.wearable.name.removesuffix(".mhclo"),
        faces=fitting.faces,
        uv=fitting.uv,
        material=fitting.wearable.material(),
        weld=fitting.weld,
        stencil=fitting.stencil,
        lift_world=lift_m(fitting, rest.vertices_world),
        asset=fitting.wearable.name,
    )


def skin_under(chosen: Chosen, rest: RestBody, count: int) -> tuple[NDArray[np.bool_], Array]:
    """What assets do to the skin: mask (S,) of its vertices to leave out, and offsets (S,) m."""
    hidden, offset = np.zeros(count, bool), np.zeros(count)
    skin = rest.vertices_world[:count]
    for fitting in chosen.fittings:
        if fitting.kind in ("hair", "hat", "small"):
            continue
        hidden |= fitting.wearable.fit.deleted[:count]
        placed = fitting.stencil @ rest.vertices_world + lift_m(fitting, rest.vertices_world)
        distance, _ = KDTree(placed).query(skin, distance_upper_bound=_NEAR_M)
        offset[np.isfinite(distance)] = -_UNDER_M
    return hidden, offset


def _covers(data: BodyData, fitting: Fitting) -> tuple[str, bool]:
    """The kind of an asset, by what it covers on a body of middle build and by its name, and
    whether it covers the feet."""
    body = _middle(data)
    placed = fitting.stencil @ body.rest.vertices_world
    placed = placed + lift_m(fitting, body.rest.vertices_world)
    tree = KDTree(placed)
    covered = {
        region: bool(
            np.isfinite(tree.query(points, distance_upper_bound=reach_m)[0]).mean() > _COVERED
        )
        for region, (points, reach_m) in body.regions.items()
    }
    return _named(fitting, covered, placed, body), bool(covered["foot"])


def _named(fitting: Fitting, covered: dict[str, bool], placed: Array, body: _Middle) -> str:
    words = f"{fitting.wearable.name.lower()} {' '.join(fitting.wearable.fit.tags)}"
    if "hair" in words and not covered["chest"]:
        return "hair"
    if covered["chest"] or covered["thigh"]:
        if covered["chest"] and covered["thigh"]:
            return "whole"
        return "top" if covered["chest"] else "bottom"
    if covered["foot"]:
        return "shoes"
    if covered["scalp"]:
        return "hat"
    trunk = (placed[:, 1] > body.low_m) & (placed[:, 1] < body.high_m)
    trunk &= np.abs(placed[:, 2]) < body.wide_m
    return "under" if trunk.mean() > 0.5 else "small"


@dataclass(frozen=True, eq=False)
class _Middle:
    """A body of middle build: regions of its skin with how near an asset has to be to cover them,
    and what is its trunk: between two heights, less than so wide."""

    rest: RestBody
    regions: dict[str, tuple[Array, float]]
    low_m: float
    high_m: float
    wide_m: float


@lru_cache(maxsize=1)
def _middle(data: BodyData) -> _Middle:
    rest = shape(data, MIDDLE_BUILD)
    figure = measure(data, rest)
    inside = body_vertices(data)
    skin = rest.vertices_world[inside]
    y = skin[:, 1]
    trunk = data.share_of(data.bones_named(*ARM_BONES))[inside] < 0.3
    eye_y = rest.bone_head[data.bones.index("eye.L")][1]
    thigh = (y > figure.crotch_y - 0.16) & (y < figure.crotch_y - 0.08) & trunk
    return _Middle(
        rest=rest,
        regions={
            "chest": (skin[(np.abs(y - figure.bust_y) < 0.05) & trunk], 0.05),
            "thigh": (skin[thigh], 0.12),
            "foot": (skin[y < 0.05], 0.03),
            "scalp": (skin[y > eye_y + 0.05], 0.06),
        },
        low_m=figure.crotch_y - 0.1,
        high_m=float(figure.shoulders[:, 1].mean()),
        wide_m=float(np.abs(figure.shoulders[:, 2]).mean()) + 0.05,
    )
