"""Cloth tells itself from skin."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_less

from spinetrack_synth.avatars.fabric import choose_fabric
from spinetrack_synth.avatars.patterns import PAINTERS
from spinetrack_synth.avatars.swatches import KINDS

SKINS = {"pale": (0.88, 0.70, 0.60), "tanned": (0.70, 0.50, 0.39), "dark": (0.36, 0.23, 0.17)}

CLOTHS = ((False, False), (True, False), (True, True))


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_no_cloth_is_taken_for_bare_skin(skin: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(5)
    tone = np.array(skin)
    fabrics = [choose_fabric(rng, loose, tone, below) for loose, below in CLOTHS * 200]
    colors = np.array([color for f in fabrics for color in (f.main, f.second)])
    assert_array_less(0.2 - 1e-9, np.abs(colors - tone).max(axis=1))
    # Skin in sun and shade: between a third and all of its brightness.
    shades = np.linspace(0.4, 1.0, 13)[:, None] * tone
    apart = np.abs(colors[:, None] - shades).max(axis=-1).min(axis=1)
    assert np.quantile(apart, 0.02) > 0.04
    assert {f.pattern for f in fabrics} == set(PAINTERS) - {"unprinted"}
    swatches = {f.swatch for f in fabrics}
    assert swatches <= {"", *KINDS} and len(swatches) > 10
