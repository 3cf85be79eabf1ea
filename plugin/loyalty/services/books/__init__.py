"""The ledger's one door: lock, settle, decide, book; what commands read and write there."""
