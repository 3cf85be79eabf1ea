"""Personal offers: the pool, the plan, what came of it."""
