"""``loyalty demo``: a shop with a year of baskets, from an empty folder to a running server."""
