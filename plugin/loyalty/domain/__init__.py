"""The rules: plain Python that is handed everything it needs, the time included."""
