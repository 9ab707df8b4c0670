"""What a workspace may do right now: calls at once, calls per second, slots, and money."""
