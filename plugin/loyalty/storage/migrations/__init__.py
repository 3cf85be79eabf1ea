"""Tortoise's migrations. Their SQL is written by hand, one frozen file per database."""
