"""What the models look at: numbers about a member and a product, worked out for one request.

Training asks the very same functions about each member's past as it was at an earlier day, so
that what is learned is what is served.
"""
