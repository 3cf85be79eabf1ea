"""A shop's dialect turned into our events and rows."""
