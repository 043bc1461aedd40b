"""Smooth transitions."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.easing import smoothstep


def test_smoothstep_runs_both_ways():
    assert smoothstep(0.0, 2.0, np.array([-1, 1, 3])).tolist() == [0, 0.5, 1]
    assert smoothstep(2.0, 0.0, np.array([-1, 1, 3])).tolist() == [1, 0.5, 0]
