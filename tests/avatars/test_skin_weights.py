import numpy as np

from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.rig import TWIST_FREE, VERTEBRAE
from spinetrack_synth.avatars.skin_weights import skin_weights


def test_every_vertebra_moves_the_back(body_data):
    avatar = bare_avatar(sample_subject(21, 0))
    bone, weight = skin_weights(body_data, shape(body_data, avatar.subject), avatar.rig)
    skin = slice(0, len(avatar.skin_body))
    for name in VERTEBRAE:
        share = np.where(bone[skin] == avatar.tree.body_index[name], weight[skin], 0).sum(axis=1)
        assert share.max() > 0.1, name


def test_weights_are_shares(body_data):
    avatar = bare_avatar(sample_subject(21, 1))
    bone, weight = skin_weights(body_data, shape(body_data, avatar.subject), avatar.rig)
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)
    assert weight.min() >= 0
    assert bone.min() >= 0 and bone.max() < len(avatar.tree.bodies) + len(TWIST_FREE)
