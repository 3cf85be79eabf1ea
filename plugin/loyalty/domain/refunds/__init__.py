"""What comes back of an order."""
