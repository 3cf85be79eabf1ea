"""Types that both schemas share, one file per feature."""
