"""Changes, one file per feature."""
