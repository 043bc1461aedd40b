"""Things that stand about: yoga gear, furniture, plants, windows, railings, trees.

Each function returns a prop around the origin, standing on y = 0, its front towards +Z. Finishes
are names (``wood``, ``frame``, ``metal``, ``white``, ``gear``, ``cloth``, ``pot``, ``soil``,
``leaf``, ``bark``, ...); a place says what each of them looks like.
"""
