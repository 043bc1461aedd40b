"""Settings of all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# A busy machine is no bug: examples may take as long as they need.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# What a shell starts in its background is deaf to Ctrl-C, and so are all whom it starts: not here.
signal.signal(signal.SIGINT, signal.default_int_handler)
