"""A believable company that never existed, as the actions it would have sent."""
