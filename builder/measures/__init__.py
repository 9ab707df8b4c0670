"""How quick services were in the calls of this installation, and how much of them a minute took."""
