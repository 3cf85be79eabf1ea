"""What recommendations mean to members and shops."""
