"""GraphQL over HTTP and WebSocket."""

from loyalty_graphql.transport.cors import Origins, with_cors
from loyalty_graphql.transport.endpoint import ContextFactory, GraphQLEndpoint

__all__ = ["ContextFactory", "GraphQLEndpoint", "Origins", "with_cors"]
