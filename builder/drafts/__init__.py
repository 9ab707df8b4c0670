"""The draft of an agent while people write on it: its history, edits that meet, and who is there."""
