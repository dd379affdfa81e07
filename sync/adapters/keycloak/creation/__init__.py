"""Making users: one by one, many at once, with what we want of them and what the realm gives everybody."""
