"""What the people of keypoint datasets look like: tables of their pictures, poses and bodies, made
of what files say and of nothing else."""
