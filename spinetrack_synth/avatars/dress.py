"""Everything that is drawn of a subject: skin, eyes, hair and clothes, from its fields and seed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import RestBody, Subject
from spinetrack_synth.avatars.clothes import (
    Cut, Neckline, Armhole,
    Garment,
    covered_skin,
    measure,
    over,
    sew,
    tailor,
)
from spinetrack_synth.avatars.eyes import eyes
from spinetrack_synth.avatars.hair import Hairdo, hairdo
from spinetrack_synth.avatars.mesh import subset
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.skin import Anatomy, paint_skin, survey
from spinetrack_synth.shot import Material

Footwear = Literal["bare", "shoes"]


def dress(
    data: BodyData, rest: RestBody, subject: Subject, footwear: Footwear = "bare"
) -> tuple[Part, ...]:
    """The parts of a subject's avatar; the same subject always gives the same parts."""
    rng = np.random.default_rng([subject.seed, 0xD2])
    figure = measure(data, rest)
    outfit = (
        Cut("leggings", waist=0.40, leg=1.9, band_m=0.05),
        Cut("tank", hem=0.15, neck=Neckline(0.08, 0.08, 0.05), armhole=Armhole(0.035, 0.02)),
    )
    garments = [tailor(data, figure, cut, rng) for cut in outfit]
    for k in range(1, len(garments)):
        for inner in garments[:k]:
            garments[k] = over(garments[k], inner)
    anatomy = survey(data, rest)
    hair = hairdo(anatomy, subject, np.random.default_rng([subject.seed, 0x4A]))
    parts = [
        _skin(data, anatomy, subject, tuple(garments), hair, rng),
        eyes(data, rest, subject, rng),
        *hair.parts,
    ]
    for k, garment in enumerate(garments):
        covering = [outer.depth_m - 0.03 for outer in garments[k + 1 :]]
        piece = sew(data, figure, garment, np.maximum.reduce(covering) if covering else None)
        color = tuple(rng.uniform(0.1, 0.7, 3))
        parts.append(
            Part(
                name=garment.cut.name,
                faces=piece.faces,
                uv=piece.uv.astype(np.float32),
                material=Material(color, roughness=0.8, specular=0.2),
                weld=piece.weld,
                stencil=piece.stencil,
                offset_m=piece.offset_m.astype(np.float32),
            )
        )
    return tuple(parts)


def _skin(
    data: BodyData,
    anatomy: Anatomy,
    subject: Subject,
    garments: tuple[Garment, ...],
    hair: Hairdo,
    rng: np.random.Generator,
) -> Part:
    sheet = anatomy.sheet
    hidden = covered_skin(data, garments)[sheet.stencil.indices[sheet.faces]].all(axis=1)
    seen, _ = subset(sheet, ~hidden)
    image = paint_skin(data, anatomy, subject, hair.shades, hair.brow_color, rng)
    return Part(
        name="skin",
        faces=seen.faces,
        uv=seen.uv.astype(np.float32),
        material=Material(image, roughness=0.5, specular=0.35),
        weld=seen.weld,
        stencil=seen.stencil,
        offset_m=np.zeros(len(seen.uv), np.float32),
    )
