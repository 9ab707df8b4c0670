"""Dictionaries of how words are said, which agents choose."""
