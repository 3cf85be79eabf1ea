"""Use cases: each reads state, asks the domain, and books the result in one transaction."""
