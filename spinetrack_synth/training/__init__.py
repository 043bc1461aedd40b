"""Training of pose networks: data, networks, losses, the loop. Needs the extra ``train``."""
