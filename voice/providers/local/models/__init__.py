"""The models themselves: synchronous, one object each, no queue and no thread of their own.

They are slow by design of their caller: the model process runs them on its own threads.
"""

from __future__ import annotations
