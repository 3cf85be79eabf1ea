"""The schema for shoppers' browsers, apps and checkout services."""
