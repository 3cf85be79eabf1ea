"""The caller itself."""

import strawberry

from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.types.access import Viewer


@strawberry.field(description="Who the request's credentials prove. For every caller.")
def viewer(info: Info) -> Viewer:
    return Viewer.of(permitted(info))
