"""What people read, in their language: one file of texts per language.

A language is a file in ``texts/`` or in the folder that ``LOYALTY_LANGUAGES_DIR`` names; how to add
one is in ``docs/recipes/add-a-language.md``.
"""
