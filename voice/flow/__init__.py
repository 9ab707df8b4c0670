"""Flows: agents as steps with routes between them, walked by the platform."""
