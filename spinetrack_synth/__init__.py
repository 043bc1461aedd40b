"""Synthetic people with known spines, and tools that tell whether a pose dataset is true."""

__version__ = "0.1.0"
