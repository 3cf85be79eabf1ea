"""What has an id of its own."""

import strawberry


@strawberry.interface(description="Something with an id that is unique within the API.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="An opaque id. Keep it as it is; the shop's own name is the `externalId`."
    )
