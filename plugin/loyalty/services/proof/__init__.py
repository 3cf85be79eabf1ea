"""What merchants and third parties check the books by."""
