"""Pose networks in torch: the published family and the small one, by name (``build``)."""
