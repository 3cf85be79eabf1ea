"""Types that merchants alone read, one file per feature."""
