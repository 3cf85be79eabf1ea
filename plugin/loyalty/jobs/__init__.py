"""Work that nobody waits for. Each job can be run once; ``periodic`` runs it again and again."""
