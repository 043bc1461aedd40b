"""Synthetic people with known spines, and tools that tell whether a pose dataset is anatomically true."""

__version__ = "0.1.0"
