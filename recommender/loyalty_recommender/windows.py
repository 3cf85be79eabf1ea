"""The places of a storefront that show recommendations."""

from enum import StrEnum


class Window(StrEnum):
    """A place in a storefront that shows recommendations."""

    FOR_YOU = "FOR_YOU"
    """Products the member never bought."""
    BUY_AGAIN = "BUY_AGAIN"
    """Products the member bought before."""
    NEXT_VISIT = "NEXT_VISIT"
    """What the member will buy next, whether it bought it before or not."""
    SIMILAR = "SIMILAR"
    """Bought by the same people as a product."""
    BOUGHT_TOGETHER = "BOUGHT_TOGETHER"
    """Bought in the same visits as a product."""
    CART = "CART"
    """What completes a cart."""
    TRENDING = "TRENDING"
    """Bought most in the last four weeks of the data."""
    NEW_ARRIVALS = "NEW_ARRIVALS"
    """First bought in the last four weeks of the data."""


OF_MEMBER = frozenset({Window.FOR_YOU, Window.BUY_AGAIN, Window.NEXT_VISIT})
OF_PRODUCT = frozenset({Window.SIMILAR, Window.BOUGHT_TOGETHER})
FROM_VIEWS = frozenset({Window.FOR_YOU, Window.NEXT_VISIT, Window.CART, *OF_PRODUCT})
"""Start from what was looked at where nothing else is known of the asker, the cart or the page."""
