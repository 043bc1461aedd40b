import pytest

from spinetrack_synth.avatars import assets
from spinetrack_synth.errors import UserError


@pytest.fixture(scope="session")
def body_data() -> None:
    """Skip where the body data can neither be found nor fetched."""
    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
