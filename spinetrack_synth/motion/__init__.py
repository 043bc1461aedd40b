"""Recorded motion: markers and coordinates over time, their files, and their fit to a model."""
