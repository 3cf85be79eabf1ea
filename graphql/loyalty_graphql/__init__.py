"""The GraphQL API of Storefront Loyalty."""
