"""Mesh files that users bring, read as surfaces."""
