"""A program's rules as a file and as one value."""
