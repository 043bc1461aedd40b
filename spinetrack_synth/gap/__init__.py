"""How good a model's keypoints are, and how far apart it is on synthetic and on real pictures."""
