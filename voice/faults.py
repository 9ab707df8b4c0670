"""What a provider may do wrong besides what it is allowed to: every failure becomes one in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from voice.providers.base import ProviderError


def in_words(provider: str, error: BaseException) -> ProviderError:
    """A failure of any kind as a ProviderError."""
    if isinstance(error, ProviderError):
        return error
    return ProviderError(provider, f"{type(error).__name__}: {error}".removesuffix(": "))


@contextmanager
def worded(provider: str) -> Iterator[None]:
    """Raise whatever goes wrong inside as a ProviderError. A TimeoutError stays what it is: who waits knows more.

    A provider may also lose a task of its own and let the CancelledError through. Nobody has cancelled us then, and
    the caller would wait for an answer that nobody makes.
    """
    try:
        yield
    except TimeoutError:
        raise
    except Exception as error:
        failure = in_words(provider, error)
        if failure is error:
            raise
        raise failure from error
    except asyncio.CancelledError as cancelled:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ProviderError(provider, "It gave up by itself.", retryable=True) from cancelled
