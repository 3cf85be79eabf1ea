"""What a caller is told of as it happens."""
