"""Agents from elsewhere: a module for each format, and a report of what became of every part. See docs/imports.md."""
