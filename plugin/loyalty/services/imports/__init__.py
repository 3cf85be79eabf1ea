"""Files of orders, members and products."""
