"""What plans cost and allow: rows with versions and effective dates, and who has subscribed to which."""
