"""Orders and refunds: reported, taken back, in whatever sequence."""
