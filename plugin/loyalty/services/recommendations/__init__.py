"""Recommendations: answered, trained, compared, and what came of them."""
