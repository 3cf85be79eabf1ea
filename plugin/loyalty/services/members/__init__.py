"""Members: enrolled, looked at, corrected, merged, erased, exported."""
