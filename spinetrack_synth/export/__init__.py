"""Avatars, places and things as glTF files, for other programs to draw."""
