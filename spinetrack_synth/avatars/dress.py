"""Everything that is drawn of a subject: skin, eyes, hair and clothes, from its fields and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody, Subject
from spinetrack_synth.avatars.clothes import Garment, over, sew, skin_below, tailor
from spinetrack_synth.avatars.community_clothes import (
    Chosen,
    asset_part,
    choose_assets,
    choose_skin,
    skin_under,
)
from spinetrack_synth.avatars.eyes import eyes, lashes
from spinetrack_synth.avatars.fabric import choose_fabric, weave
from spinetrack_synth.avatars.figure import Figure, measure
from spinetrack_synth.avatars.hair import hairdo
from spinetrack_synth.avatars.mesh import subset
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.skin import paint_skin, skin_sheet, survey, tone_color
from spinetrack_synth.avatars.wardrobe import Outfit, choose_outfit, sneakers
from spinetrack_synth.community import AssetFolder
from spinetrack_synth.shot import Material

Footwear = Literal["bare", "shoes"]

_OVERLAP_M = 0.03
"""How far a garment reaches under the one worn over it."""


@dataclass(frozen=True, eq=False)
class Looks:
    """What a subject looks like whatever is worn.

    ``rest`` the body at rest and ``figure`` for the tailor; ``skin`` the painted skin, of the
    user's file ``skin_asset`` if that is not ""; ``tone`` (3,) its mean colour, sRGB; ``own`` eyes,
    lashes and hair.
    """

    rest: RestBody
    figure: Figure
    skin: Material
    skin_asset: str
    tone: Array
    own: tuple[Part, ...]


def looks(
    data: BodyData, rest: RestBody, subject: Subject, assets: AssetFolder | None = None
) -> Looks:
    """A subject's looks; the same subject always has the same, of the same ``assets``."""
    anatomy = survey(data, rest)
    hair = hairdo(anatomy, subject, _stream(subject, 0x4A))
    rng = _stream(subject, 0x5E)
    asset = choose_skin(assets, subject) if assets else None
    base = asset.material().base_color if asset else None
    image = paint_skin(data, anatomy, subject, hair.shades, hair.brow_color, rng, base)
    return Looks(
        rest=rest,
        figure=measure(data, rest),
        skin=Material(image, roughness=0.5, specular=0.35),
        skin_asset=asset.name if asset else "",
        tone=image[::8, ::8].mean(axis=(0, 1)) / 255 if asset else tone_color(subject),
        own=(eyes(data, rest, subject, rng), lashes(data, hair.brow_color), *hair.parts),
    )


def dress(
    data: BodyData,
    looks: Looks,
    subject: Subject,
    outfit: int = 0,
    footwear: Footwear = "bare",
    assets: AssetFolder | None = None,
) -> tuple[Part, ...]:
    """The parts of a subject's avatar in the outfit of a number, some of it of ``assets``.

    The same subject in the outfit of the same number always has the same parts.
    """
    cuts = choose_outfit(subject.sex, _stream(subject, 0x0F, outfit))
    chosen = choose_assets(data, assets, subject, outfit) if assets else Chosen()
    if chosen.fittings:
        cuts = chosen.beside(cuts, _spare(subject, outfit))
    if footwear == "shoes":
        cuts = (*cuts, sneakers())
    garments = _layered(data, looks.figure, cuts, _stream(subject, 0xC1, outfit))
    rng = _stream(subject, 0xFA, outfit)
    return (
        _skin(data, looks, garments, chosen),
        *(part for part in looks.own if not (chosen.hair and part.name == "hair")),
        *_clothes(data, looks.figure, garments, looks.tone, rng),
        *(asset_part(fitting, looks.rest) for fitting in chosen.fittings),
    )


def _spare(subject: Subject, outfit: int) -> Outfit:
    """Garments to complete an outfit with: tops and bottoms of some others."""
    rng = _stream(subject, 0x59A2E, outfit)
    return tuple(cut for _ in range(6) for cut in choose_outfit(subject.sex, rng))


def _stream(subject: Subject, *purpose: int) -> np.random.Generator:
    """Random numbers of their own for each purpose, so that one may change without the others."""
    return np.random.default_rng([subject.seed, *purpose])


def _layered(
    data: BodyData, figure: Figure, outfit: Outfit, rng: np.random.Generator
) -> tuple[Garment, ...]:
    garments: list[Garment] = []
    for cut in outfit:
        garment = tailor(data, figure, cut, rng)
        for inner in garments:
            garment = over(garment, inner)
        garments.append(garment)
    return tuple(garments)


def _clothes(
    data: BodyData,
    figure: Figure,
    garments: tuple[Garment, ...],
    skin: Array,
    rng: np.random.Generator,
) -> list[Part]:
    parts = []
    for k, garment in enumerate(garments):
        covering = [outer.depth_m - _OVERLAP_M for outer in garments[k + 1 :]]
        piece = sew(data, figure, garment, np.maximum.reduce(covering) if covering else None)
        fabric = choose_fabric(rng, garment.cut.loose, skin, garment.cut.neck is None)
        parts.append(
            Part(
                name=garment.cut.name,
                faces=piece.faces,
                uv=piece.uv.astype(np.float32),
                material=weave(data, garment, fabric, rng),
                weld=piece.weld,
                stencil=piece.stencil,
                offset_m=piece.offset_m.astype(np.float32),
            )
        )
    return parts


def _skin(data: BodyData, looks: Looks, garments: tuple[Garment, ...], chosen: Chosen) -> Part:
    """The skin that clothes leave bare."""
    sheet = skin_sheet(data)
    hidden, offset_m = skin_below(data, garments)
    if chosen.fittings:
        below, drawn_m = skin_under(chosen, looks.rest, len(hidden))
        hidden, offset_m = hidden | below, np.minimum(offset_m, drawn_m)
    seen, _ = subset(sheet, ~hidden[sheet.stencil.indices[sheet.faces]].all(axis=1))
    return Part(
        name="skin",
        faces=seen.faces,
        uv=seen.uv.astype(np.float32),
        material=looks.skin,
        weld=seen.weld,
        stencil=seen.stencil,
        offset_m=offset_m[seen.stencil.indices].astype(np.float32),
        asset=looks.skin_asset,
    )
