"""The scaled full-body model fitted to a person's 2D points."""
