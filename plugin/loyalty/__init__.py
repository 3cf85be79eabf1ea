"""Storefront Loyalty: the engine and everything that plugs in."""
