import pytest

from spinetrack_synth.avatars import assets
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.making import make_avatar
from spinetrack_synth.errors import UserError

pytest.importorskip("pygltflib", reason="pip install 'spinetrack-synth[unreal]'")


@pytest.fixture(scope="session")
def avatar() -> Avatar:
    """A dressed woman: skin, eyes, lashes, hair, leggings and a tank."""
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    return make_avatar(sample_subject(7, 1))
