"""A comparison as one page for people and as JSON for programs."""
