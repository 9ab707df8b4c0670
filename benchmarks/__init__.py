"""Benchmarks: the engine beside its peers, and the embedded loop. See README.md."""
