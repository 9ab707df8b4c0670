"""Speech and language models on this machine, shared by all processes through one model process."""

from __future__ import annotations
