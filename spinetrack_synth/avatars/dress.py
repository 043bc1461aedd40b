"""Everything that is drawn of a subject: skin, eyes, hair and clothes, from its fields and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody, Subject
from spinetrack_synth.avatars.clothes import Garment, over, sew, skin_below, tailor
from spinetrack_synth.avatars.eyes import eyeballs, eyes, face_scale_m, lashes, mouth
from spinetrack_synth.avatars.eyewear import glasses, wears_glasses
from spinetrack_synth.avatars.fabric import choose_fabric, weave
from spinetrack_synth.avatars.figure import Figure, measure
from spinetrack_synth.avatars.hair import Hairdo, hairdo
from spinetrack_synth.avatars.headwear import draw_headwear, make_headwear, pressed
from spinetrack_synth.avatars.mesh import subset
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.skin import paint_skin, skin_sheet, survey, tone_color
from spinetrack_synth.avatars.wardrobe import Outfit, choose_outfit, sneakers
from spinetrack_synth.shot import Material

Footwear = Literal["bare", "shoes"]

_OVERLAP_M = 0.03
"""How far a garment reaches under the one worn over it."""


_SUNGLASSES = 0.05
"""How many wear them; more under a cap or a sun hat."""


@dataclass(frozen=True, eq=False)
class Looks:
    """What a subject looks like whatever is worn.

    ``figure`` for the tailor; ``skin`` the painted skin; ``hair`` how it is done; ``own`` eyes,
    lashes, teeth, tongue, hair and glasses; ``eyes`` (2, 3) m the eyeballs' centres at rest, left
    first; ``scale_m`` metres for a unit of the face's targets.
    """

    figure: Figure
    skin: Material
    hair: Hairdo
    own: tuple[Part, ...]
    eyes: Array
    scale_m: float


def looks(data: BodyData, rest: RestBody, subject: Subject) -> Looks:
    """A subject's looks; the same subject always has the same."""
    anatomy = survey(data, rest)
    hair = hairdo(anatomy, subject, _stream(subject, 0x4A))
    rng = _stream(subject, 0x5E)
    image = paint_skin(data, anatomy, subject, hair.shades, hair.brow_color, rng)
    own_glasses = _stream(subject, 0x61A)
    return Looks(
        figure=measure(data, rest),
        skin=Material(image, roughness=0.5, specular=0.35),
        hair=hair,
        own=(
            eyes(data, rest, subject, rng),
            lashes(data, hair.brow_color),
            *mouth(data),
            *hair.parts,
            *(glasses(hair.head, own_glasses) if wears_glasses(subject, own_glasses) else ()),
        ),
        eyes=eyeballs(data, rest)[0],
        scale_m=face_scale_m(data, rest),
    )


def dress(
    data: BodyData, looks: Looks, subject: Subject, outfit: int = 0, footwear: Footwear = "bare"
) -> tuple[Part, ...]:
    """The parts of a subject's avatar in the outfit of a number.

    The same subject in the outfit of the same number always has the same parts.
    """
    cuts = choose_outfit(subject.sex, _stream(subject, 0x0F, outfit))
    if footwear == "shoes":
        cuts = (*cuts, sneakers())
    garments = _layered(data, looks.figure, cuts, _stream(subject, 0xC1, outfit))
    rng = _stream(subject, 0xFA, outfit)
    return (
        _skin(data, looks, garments),
        *on_head(looks, subject, outfit),
        *_clothes(data, looks.figure, garments, tone_color(subject), rng),
    )


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
        fabric = choose_fabric(rng, garment.cut.loose, skin)
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


def _skin(data: BodyData, looks: Looks, garments: tuple[Garment, ...]) -> Part:
    """The skin that clothes leave bare."""
    sheet = skin_sheet(data)
    hidden, offset_m = skin_below(data, garments)
    seen, _ = subset(sheet, ~hidden[sheet.stencil.indices[sheet.faces]].all(axis=1))
    return Part(
        name="skin",
        faces=seen.faces,
        uv=seen.uv.astype(np.float32),
        material=looks.skin,
        weld=seen.weld,
        stencil=seen.stencil,
        offset_m=offset_m[seen.stencil.indices].astype(np.float32),
    )
