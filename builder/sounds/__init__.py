"""Background sounds of a workspace's own."""
