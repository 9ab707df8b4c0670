"""What was used, and what it costs: facts are recorded, rated and charged, each apart from the others."""
