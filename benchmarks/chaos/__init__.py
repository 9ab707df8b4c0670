"""Processes that are killed in the middle of calls, and the proof that each call is billed for what ran, once."""
