"""Networks for the 37 keypoints, and how they learn; the only room that imports torch."""
