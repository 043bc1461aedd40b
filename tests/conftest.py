"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no bug: examples may take as long as they need.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
