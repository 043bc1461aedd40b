"""Everything that is drawn of a subject: skin, eyes, hair and clothes, from its fields and seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Color
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody, Subject
from spinetrack_synth.avatars.clothes import (
    Garment,
    cloth_over_skin_m,
    over,
    sew,
    skin_below,
    tailor,
)
from spinetrack_synth.avatars.cloths import MATCHING, belt_color, of_cloth
from spinetrack_synth.avatars.community_clothes import (
    Chosen,
    asset_part,
    choose_assets,
    choose_skin,
    skin_under,
)
from spinetrack_synth.avatars.cuts import Cut
from spinetrack_synth.avatars.eyes import eyeballs, eyes, face_scale_m, lashes, mouth
from spinetrack_synth.avatars.eyewear import glasses, wears_glasses
from spinetrack_synth.avatars.fabric import choose_fabric, weave
from spinetrack_synth.avatars.figure import Figure, measure, suit
from spinetrack_synth.avatars.hair import Hairdo, hairdo
from spinetrack_synth.avatars.headwear import draw_headwear, make_headwear, pressed
from spinetrack_synth.avatars.mesh import corners_in, subset
from spinetrack_synth.avatars.paintings import Look, Painting
from spinetrack_synth.avatars.parts import Cover, Part
from spinetrack_synth.avatars.patterns import Fabric
from spinetrack_synth.avatars.shoes import SHOES, fit_shoes, shoe_part
from spinetrack_synth.avatars.skin import TEXEL_M, paint_skin, tone_color
from spinetrack_synth.avatars.skirts import hem_name, skirt_part
from spinetrack_synth.avatars.styles import SPORTS
from spinetrack_synth.avatars.survey import skin_sheet, survey
from spinetrack_synth.avatars.trims import trimmings
from spinetrack_synth.avatars.wardrobe import Outfit, choose_outfit
from spinetrack_synth.community import AssetFolder
from spinetrack_synth.shot import Material

_OVERLAP_M = 0.03
"""How far a garment reaches under the one worn over it."""


_THICKEST_SOLE_M = 0.08
_BARE_WAIST = 1.05
"""The heaviest, in the shape space's units, with nothing over the waist."""
_WAIST = 0.3
"""A hem below it covers the waist, as a fraction from the crotch to the nape."""
_SUNGLASSES = 0.05
"""How many wear them; more under a cap or a sun hat."""


@dataclass(frozen=True, eq=False)
class Looks:
    """What a subject looks like whatever is worn.

    ``rest`` the body at rest and ``figure`` for the tailor; ``skin`` the skin to be painted, of the
    user's file ``skin_asset`` if that is not ""; ``tone`` (3,) its mean colour, sRGB; ``hair`` how
    it is done; ``own`` eyes, lashes, teeth, tongue, hair and glasses; ``eyes`` (2, 3) m the
    eyeballs' centres at rest, left first; ``scale_m`` metres for a unit of the face's targets.
    """

    rest: RestBody
    figure: Figure
    skin: Look
    skin_asset: str
    tone: Array
    hair: Hairdo
    own: tuple[Part, ...]
    eyes: Array
    scale_m: float


def looks(
    data: BodyData, rest: RestBody, subject: Subject, assets: AssetFolder | None = None
) -> Looks:
    """A subject's looks; the same subject always has the same, of the same ``assets``."""
    anatomy = survey(data, rest)
    hair = hairdo(anatomy, subject, _stream(subject, 0x4A))
    asset = choose_skin(assets, subject) if assets else None
    base = asset.material().base_color if asset else None
    tone = tone_color(subject) if base is None else _mean_color(base)

    def paint(size: int) -> Material:
        rng = _stream(subject, 0x5E)
        image = paint_skin(data, anatomy, subject, hair.shades, hair.brow_color, rng, base, size)
        return Material(image, roughness=0.5, specular=0.35)

    plain = Material((float(tone[0]), float(tone[1]), float(tone[2])), 0.5, 0.35)
    own_glasses = _stream(subject, 0x61A)
    return Looks(
        rest=rest,
        figure=measure(data, rest),
        skin=Painting(paint, plain, TEXEL_M),
        skin_asset=asset.name if asset else "",
        tone=tone,
        hair=hair,
        own=(
            eyes(data, rest, subject),
            lashes(data, hair.brow_color),
            *mouth(data),
            *hair.parts,
            *(glasses(hair.head, own_glasses) if wears_glasses(subject, own_glasses) else ()),
        ),
        eyes=eyeballs(data, rest)[0],
        scale_m=face_scale_m(data, rest),
    )


def _mean_color(base: NDArray[np.uint8] | Color) -> Array:
    """The mean colour (3,) of a picture, or a colour itself."""
    if isinstance(base, tuple):
        return np.array(base)
    return np.asarray(base[::8, ::8].mean(axis=(0, 1)) / 255)


@dataclass(frozen=True, eq=False)
class Worn:
    """A dressed subject: all its parts, the names of its clothes from the inside out, and the
    thickness of its soles."""

    parts: tuple[Part, ...]
    garments: tuple[str, ...]
    sole_m: float


def dress(
    data: BodyData,
    looks: Looks,
    subject: Subject,
    outfit: int = 0,
    style: str = SPORTS,
    assets: AssetFolder | None = None,
) -> Worn:
    """A subject in the outfit of a number, of one of the ``STYLES``, some of it of ``assets``.

    The same subject in the same outfit always has the same parts.
    """
    outfit_worn = _chosen(style, subject, outfit)
    chosen = choose_assets(data, assets, subject, outfit) if assets else Chosen()
    cuts, shod = outfit_worn.cuts, outfit_worn.shoes
    if chosen.fittings:
        cuts = chosen.beside(cuts, _spare(subject, outfit))
        shod = None if any(f.shod for f in chosen.fittings) else shod
    garments = _layered(data, looks.figure, cuts, _stream(subject, 0xC1, outfit))
    rng = _stream(subject, 0xFA, outfit)
    clothes = _clothes(data, looks.figure, garments, looks.tone, rng)
    seen = {part.name for part in clothes}
    names = [cut.name for cut in cuts if seen & {cut.name, hem_name(cut)}]
    shoe = SHOES[shod] if shod else None
    if shoe is not None:
        pair = fit_shoes(data, looks.figure, shoe)
        garments = (*garments, pair)
        clothes.append(shoe_part(data, looks.figure, shoe, pair, _stream(subject, 0x50, outfit)))
        names.append(shoe.name)
    foreign = [asset_part(fitting, looks.rest) for fitting in chosen.fittings]
    sole_m = shoe.sole_m if shoe else 0.0
    if outfit_worn.shoes and not shod:  # the user's shoes stand in for ours
        sole_m = max(_lowest_m(part, looks.rest) for part in foreign)
    own = on_head(looks, subject, 0 if chosen.on_head else outfit)
    own = tuple(part for part in own if not (chosen.hair and part.name == "hair"))
    return Worn(
        parts=(_skin(data, looks, garments, chosen), *own, *clothes, *foreign),
        garments=(*names, *(part.name for part in foreign)),
        sole_m=sole_m,
    )


def _chosen(style: str, subject: Subject, outfit: int) -> Outfit:
    """What is worn of a style. Who is so heavy that the belly would come over the edge of a
    waistband draws until there is a top over it, in the end of sportswear."""
    rng = _stream(subject, 0x0F, outfit)
    worn = choose_outfit(style, subject.sex, rng)
    for of in (*(style,) * 10, *(SPORTS,) * 30):
        if subject.weight <= _BARE_WAIST or any((cut.hem or 1.0) < _WAIST for cut in worn.cuts):
            break
        worn = choose_outfit(of, subject.sex, rng)
    return worn


def _lowest_m(part: Part, rest: RestBody) -> float:
    """How far a part reaches below bare soles at rest."""
    assert part.stencil is not None and part.lift_world is not None
    points = part.stencil @ rest.vertices_world + part.lift_world
    return float(np.clip(-points[:, 1].min(), 0.0, _THICKEST_SOLE_M))


def on_head(looks: Looks, subject: Subject, outfit: int) -> tuple[Part, ...]:
    """What is the subject's own, the hair pressed by what is worn on it, sunglasses for glasses.

    Outfit 0, which engines have for good, has nothing on the head.
    """
    head, own = looks.hair.head, looks.own
    if outfit == 0:
        return own
    rng = _stream(subject, 0x4A7, outfit)
    kind = draw_headwear(rng)
    if rng.random() < _SUNGLASSES * (3 if kind in ("cap", "sun hat") else 1):
        own = (*(part for part in own if part.name != "glasses"), *glasses(head, rng, dark=True))
    if not kind:
        return own
    worn = make_headwear(head, kind, rng)
    own = tuple(pressed(part, head, worn) if part.name == "hair" else part for part in own)
    return (*own, worn.part)


def _spare(subject: Subject, outfit: int) -> tuple[Cut, ...]:
    """Garments to complete an outfit with: tops and bottoms of some others."""
    rng = _stream(subject, 0x59A2E, outfit)
    return tuple(cut for _ in range(6) for cut in choose_outfit(SPORTS, subject.sex, rng).cuts)


def _stream(subject: Subject, *purpose: int) -> np.random.Generator:
    """Random numbers of their own for each purpose, so that one may change without the others."""
    return np.random.default_rng([subject.seed, *purpose])


def _layered(
    data: BodyData, figure: Figure, cuts: tuple[Cut, ...], rng: np.random.Generator
) -> tuple[Garment, ...]:
    garments: list[Garment] = []
    for cut in cuts:
        garment = tailor(data, figure, cut, rng)
        for inner in garments:
            garment = over(garment, inner)
        garments.append(garment)
        garments += trimmings(data, figure, garment)
    return tuple(garments)


def _clothes(
    data: BodyData,
    figure: Figure,
    garments: tuple[Garment, ...],
    skin: Array,
    rng: np.random.Generator,
) -> list[Part]:
    parts: list[Part] = []
    worn: dict[str, Fabric] = {}
    seeds: dict[str, int] = {}
    for k, garment in enumerate(garments):
        covering = [outer.depth_m - _OVERLAP_M for outer in garments[k + 1 :]]
        hidden_m = np.maximum.reduce(covering) if covering else None
        fabric = _fabric(garment, worn, skin, rng)
        skirt = garment.cut.skirt
        seed = int(rng.integers(2**31))
        seed = seeds[garment.cut.name] = seeds.get(garment.cut.sewn_on, seed)
        if hidden_m is None or _shows(data, garment, hidden_m):
            if garment.cut.cloth == "belt":
                look: Look = Material(fabric.main, fabric.roughness, 0.2)
            else:
                look = weave(data, garment, fabric, seed, hidden_m)
            parts.append(_sewn(data, figure, garment, hidden_m, look))
        if skirt is not None:  # of the same cloth, drawn by the same numbers
            below = garments[: k + 1]
            parts.append(
                skirt_part(data, figure, skirt, below, fabric, np.random.default_rng(seed))
            )
    return parts


def _sewn(
    data: BodyData, figure: Figure, garment: Garment, hidden_m: Array | None, look: Look
) -> Part:
    piece = sew(data, figure, garment, hidden_m)
    return Part(
        name=garment.cut.name,
        faces=piece.faces,
        uv=piece.uv.astype(np.float32),
        material=look,
        weld=piece.weld,
        stencil=piece.stencil,
        offset_m=piece.offset_m.astype(np.float32),
    )


def _shows(data: BodyData, garment: Garment, hidden_m: Array) -> bool:
    """Whether anything of a garment is left where others cover what lies ``hidden_m`` (P,) > 0."""
    bare = (garment.depth_m > 0) & (hidden_m < 0)
    return bool((corners_in(bare, suit(data).sheet.faces) == 3).any())


def _fabric(
    garment: Garment, worn: dict[str, Fabric], skin: Array, rng: np.random.Generator
) -> Fabric:
    """A fabric of the garment's own, or one of those ``worn`` already, by garment and by cloth;
    what is sewn on a garment has its."""
    cut = garment.cut
    if cut.sewn_on:
        base = worn[cut.sewn_on]
        return replace(base, main=belt_color(rng)) if cut.cloth == "belt" else base
    fabric = of_cloth(choose_fabric(rng, cut.loose, skin, cut.neck is None), cut.cloth, rng)
    if cut.cloth and cut.cloth in worn and rng.random() < MATCHING.get(cut.cloth, 0.0):
        fabric = worn[cut.cloth]
    worn |= {cut.name: fabric, cut.cloth: fabric}
    return fabric


def _skin(data: BodyData, looks: Looks, garments: tuple[Garment, ...], chosen: Chosen) -> Part:
    """The skin that clothes leave bare."""
    sheet = skin_sheet(data)
    hidden, offset_m = skin_below(data, garments)
    if chosen.fittings:
        below, drawn_m = skin_under(chosen, looks.rest, len(hidden))
        hidden, offset_m = hidden | below, np.minimum(offset_m, drawn_m)
    seen, _ = subset(sheet, ~hidden[sheet.stencil.indices[sheet.faces]].all(axis=1))
    vertex = seen.stencil.indices
    cloth_m = cloth_over_skin_m(data, garments)[vertex]
    under = np.flatnonzero(np.isfinite(cloth_m))
    pattern = suit(data)
    return Part(
        name="skin",
        faces=seen.faces,
        uv=seen.uv.astype(np.float32),
        material=looks.skin,
        weld=seen.weld,
        stencil=seen.stencil,
        offset_m=offset_m[vertex].astype(np.float32),
        cover=Cover(
            vertex=under,
            stencil=csr_array(pattern.sheet.stencil[pattern.sheet_near[vertex[under]]]),
            cloth_m=cloth_m[under],
        ),
        asset=looks.skin_asset,
    )
