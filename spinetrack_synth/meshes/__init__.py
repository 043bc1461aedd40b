"""Meshes that users bring or take: files and trimesh's scenes as surfaces, and back."""
