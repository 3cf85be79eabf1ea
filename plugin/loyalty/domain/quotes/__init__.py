"""What a cart would get, and why."""
