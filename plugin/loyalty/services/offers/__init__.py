"""Personal offers: who would use what, the plan, its publication, what came of it."""
