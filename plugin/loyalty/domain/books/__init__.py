"""What members hold and the ledger it is booked in."""
