from spinetrack_synth.poses.library import FAMILIES, library


def test_all_families():
    assert {pose.family for pose in library().values()} == set(FAMILIES)
