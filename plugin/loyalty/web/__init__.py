"""Delivery over HTTP: webhooks, health, metrics, and the demo storefront."""
