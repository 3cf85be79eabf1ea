"""Tortoise models, one file per feature.

In the database every primary, unique and foreign key starts with the tenant; Tortoise knows
only single-column keys, so a model's ``id`` is its key there and the real keys are written in
the migrations and checked by a test that introspects the live schema.
"""
