"""Datasets of pictures and people merged, split, converted and packaged, ours or anybody's."""
