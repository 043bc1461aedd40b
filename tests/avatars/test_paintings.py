"""Pictures as fine as they are seen."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.clothes import tailor
from spinetrack_synth.avatars.cuts import Cut, Neckline
from spinetrack_synth.avatars.fabric import weave
from spinetrack_synth.avatars.figure import measure
from spinetrack_synth.avatars.flat_cloth import laid_flat
from spinetrack_synth.avatars.paintings import FINEST, UNSEEN, Painting, painted
from spinetrack_synth.avatars.patterns import Fabric
from spinetrack_synth.avatars.swatches import draw_swatch
from spinetrack_synth.shot import Material

PLAIN = Material((0.1, 0.2, 0.3))


def test_a_picture_is_painted_once_in_the_size_that_is_wanted():
    sizes: list[int] = []

    def paint(size: int) -> Material:
        sizes.append(size)
        return Material(np.zeros((size, size, 3), np.uint8))

    painting = Painting(paint, PLAIN, 0.002)
    assert painting.at(UNSEEN) is PLAIN and sizes == []
    for texel_m, size in ((0.0, 1024), (0.0039, 768), (0.004, 512), (0.1, 256), (FINEST, 1024)):
        assert len(painting.at(texel_m).base_color) == painting.size(texel_m) == size
    assert sizes == [1024, 768, 512, 256]
    assert painted(PLAIN, UNSEEN) is PLAIN and painted(painting) is painting.at(FINEST)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["heather", "denim", "swatch", "blocks"])
def test_cloth_seen_from_afar_is_the_same_cloth(body_data, pattern):
    """A texel of the small picture has the mean colour of those that it stands for."""
    figure = measure(body_data, shape(body_data, sample_subject(7, 1)))
    cut = Cut("t-shirt", hem=0.1, neck=Neckline(0.08, 0.05, 0.02), sleeve=0.4, ease_m=0.012)
    garment = tailor(body_data, figure, cut, np.random.default_rng(0))
    colors = ((0.1, 0.12, 0.3), (0.9, 0.3, 0.2), (0.3, 0.3, 0.3))
    swatch = "stripes" if pattern == "swatch" else ""
    fabric = Fabric(pattern, *colors, 0.8, ((0.2, 0.6, 0.3), (0.8, 0.8, 0.2)), swatch)
    cloth = weave(body_data, garment, fabric, 5)
    small, large = (np.asarray(cloth.at(t).base_color, float) for t in (1.0, FINEST))
    mean = large.reshape(256, 4, 256, 4, 3).mean(axis=(1, 3))
    flat = laid_flat(body_data, 256)
    worn = flat.texels.touching(garment.depth_m > 0.01)
    off = np.abs(small - mean).reshape(-1, 3)[flat.texels.texel[worn]]
    assert np.median(off) < 6 and np.abs((small - mean).mean()) < 3


@pytest.mark.parametrize("kind", ["stripes", "tartan", "dots"])
def test_a_smeared_swatch_repeats_as_it_did(kind):
    colors = [(0.1, 0.1, 0.1), (0.9, 0.9, 0.9), (0.9, 0.2, 0.2)]
    swatch = draw_swatch(kind, colors, np.random.default_rng(3))
    smeared = swatch.smeared(0.006)
    size = [px * side for px, side in zip(smeared.px_m, smeared.image.shape[1::-1], strict=True)]
    before = [px * side for px, side in zip(swatch.px_m, swatch.image.shape[1::-1], strict=True)]
    assert size == pytest.approx(before)
    assert smeared.image.mean(axis=(0, 1)) == pytest.approx(
        swatch.image.mean(axis=(0, 1)), abs=0.01
    )
    assert smeared.image.size < 0.2 * swatch.image.size
