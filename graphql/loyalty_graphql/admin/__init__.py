"""The schema for merchants: every caller of it is one (``context.admin_context_factory``)."""
