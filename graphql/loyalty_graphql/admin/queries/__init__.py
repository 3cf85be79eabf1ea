"""Questions, one file per feature."""
