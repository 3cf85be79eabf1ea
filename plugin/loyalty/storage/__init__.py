"""The database: tables, statements, migrations. The only layer that speaks SQL."""
