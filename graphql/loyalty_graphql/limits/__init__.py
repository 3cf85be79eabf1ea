"""What a request may cost, measured before it costs anything."""

from loyalty_graphql.limits.measure import DocumentShape, measure
from loyalty_graphql.limits.settings import Limits

__all__ = ["DocumentShape", "Limits", "measure"]
