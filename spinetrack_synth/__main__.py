"""``python -m spinetrack_synth`` is the ``spinetrack-synth`` command."""

from spinetrack_synth.cli import main

main()
