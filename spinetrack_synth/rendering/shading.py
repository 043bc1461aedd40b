"""How surfaces scatter light: Disney's diffuse lobe and a GGX highlight, as in ``principled``.

Mitsuba's own ``principled`` takes its specular value as a compiled-in number and would need one
instance, hence one more kernel, for each material; this one reads all values at the point hit.
Directions are in the shading frame. The variant must be set before the import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import drjit as dr
import mitsuba as mi

F0_OF_SPECULAR: Final = 0.08
"""Reflectance at normal incidence of ``specular`` 1 (Burley 2012)."""

SMOOTHEST: Final = 0.03
"""Least GGX width: anything smoother makes more noise than a few samples can carry."""


@dataclass(frozen=True)
class Scatter:
    """The surface at a point: linear ``color``, ``roughness`` 0..1, ``specular`` 0..1."""

    color: Any
    roughness: Any
    specular: Any

    def evaluate(self, wi: Any, wo: Any) -> tuple[Any, Any]:
        """BSDF times cosine (Color3f), and the pdf of sampling ``wo`` by solid angle."""
        wi, wo = _upper(wi, wi), _upper(wo, wi)
        above = (wi.z > 0) & (wo.z > 0)
        half = dr.normalize(wi + wo)
        cos_half = dr.dot(wi, half)
        ggx = self._ggx()
        highlight = self._fresnel(cos_half) * ggx.eval(half) * ggx.G(wi, wo, half) / (4 * wi.z)
        value = self._diffuse(wi.z, wo.z, cos_half) * wo.z + highlight
        share = self._highlight_share(wi)
        pdf = share * ggx.pdf(wi, half) / (4 * cos_half) + (1 - share) * wo.z * dr.inv_pi
        return dr.select(above, value, 0), dr.select(above, pdf, 0)

    def sample(self, wi: Any, choice: Any, point: Any) -> tuple[Any, Any, Any]:
        """A direction: ``wo``, its pdf by solid angle, and BSDF times cosine over pdf."""
        upper = _upper(wi, wi)
        half, _ = self._ggx().sample(upper, point)
        mirrored = 2 * dr.dot(upper, half) * half - upper
        scattered = mi.warp.square_to_cosine_hemisphere(point)
        wo = dr.select(choice < self._highlight_share(wi), mirrored, scattered)
        wo = _upper(wo, wi)
        value, pdf = self.evaluate(wi, wo)
        return wo, pdf, dr.select(pdf > 0, value / pdf, 0)

    def _ggx(self) -> Any:
        alpha = dr.maximum(dr.square(self.roughness), SMOOTHEST)
        return mi.MicrofacetDistribution(mi.MicrofacetType.GGX, alpha, True)

    def _fresnel(self, cosine: Any) -> Any:
        root = dr.sqrt(F0_OF_SPECULAR * self.specular)
        eta = (1 + root) / (1 - root)  # the refractive index that reflects so much head on
        return mi.fresnel(cosine, eta)[0]

    def _diffuse(self, cos_i: Any, cos_o: Any, cos_half: Any) -> Any:
        grazing = 0.5 + 2 * self.roughness * dr.square(cos_half) - 1
        return (
            self.color
            * dr.inv_pi
            * (1 + grazing * _schlick(cos_i))
            * (1 + grazing * _schlick(cos_o))
        )

    def _highlight_share(self, wi: Any) -> Any:
        """Chance of sampling the highlight rather than the diffuse lobe."""
        shine = self._fresnel(dr.abs(wi.z))
        return dr.clip(shine / (shine + mi.luminance(self.color)), 0.1, 0.9)


def _upper(direction: Any, wi: Any) -> Any:
    """Mirrored so that ``wi`` lies above the surface: both sides scatter alike."""
    return mi.Vector3f(direction.x, direction.y, dr.mulsign(direction.z, wi.z))


def _schlick(cosine: Any) -> Any:
    grazing = dr.clip(1 - cosine, 0, 1)
    return dr.square(dr.square(grazing)) * grazing
