"""What went wrong at a provider's server, and its mend, in words. No text here ever carries the key."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator

import httpx
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from voice.providers.base import ProviderError

_LONGEST = 300
# So long a wait between tries is borne by a caller without a word.
SHORT_WAIT = 1.5
_USUAL_WAIT = 0.25
# Where servers put the words of a report, in the order of preference.
_WORDS = ("error", "errors", "message", "detail", "title", "msg", "err_msg", "description")


class Refused(ProviderError):
    """A provider's server answered, and said no. `status` is HTTP's, or what stands for it."""

    def __init__(self, provider: str, message: str, *, status: int, retryable: bool = False) -> None:
        super().__init__(provider, message, retryable=retryable)
        self.status = status


class Failures:
    """Words for the failures of one server."""

    def __init__(self, name: str, base_url: str, api_key: str) -> None:
        self._name = name
        self._base_url = base_url
        self._secret = api_key

    def of_status(self, status: int, body: str, what: str, location: str = "") -> Refused:
        """For an answer that is no success. `body` is what the server wrote, `what` names what it was asked for."""
        said = self._said(body)
        match status:
            case 401 if "quota" in said.lower():
                text = "The account's quota is used up. Raise it with the provider."
            case 400 | 401 if status == 401 or "api key not valid" in said.lower():
                text = "The API key is wrong or missing. Put the right one into this connection."
            case 403:
                text = f"The API key is not allowed to use the {what}. Check what it may do, or choose another."
            case 402:
                text = "The account has no credit left. Add some with the provider."
            case 404 | 405 if said:
                text = f"There is no {what} at {self._base_url}, or not for this key. Choose another."
            case 404 | 405:
                text = f"Nothing answers such requests at {self._base_url}. Most base URLs end in /v1; check this one."
            case 408 | 504:
                text = "The server gave up waiting for its model. Try again, or choose a smaller one."
            case 413:
                text = "The request is longer than the server accepts. Shorten the agent's prompt."
            case 429 if "quota" in said.lower() or "credit" in said.lower() or "billing" in said.lower():
                text = "The account's quota is used up. Raise it with the provider."
            case 429:
                text = (
                    "The server accepts no more requests for now. Wait a little, or raise the limit with the provider."
                )
            case 503 | 529 if said:
                text = "The server is overloaded. Try again in a moment, or choose another model."
            case _ if 300 <= status < 400:
                text = f"The server is at {location or 'another address'} now. Put that into this connection."
            case _ if status >= 500:
                text = "The server failed. Try again; if it goes on, look at its log or status page."
            case _:
                text = f"The server refused the request for the {what}."
        text = self._clean_key(f"{text} ({status}{': ' if said else ''}{said})")
        return Refused(self._name, text, status=status, retryable=status in (408, 429) or status >= 500)

    def of_transport(self, error: Exception) -> ProviderError:
        """For a server that was not reached, or was lost."""
        causes = list(_causes(error))
        if isinstance(error, httpx.ConnectTimeout):
            text = f"{self._base_url} did not answer in time. Is the address right, and does a firewall let us through?"
        elif isinstance(error, TimeoutError | httpx.TimeoutException):
            text = "The server went silent for too long. Try again, or choose a faster model."
        elif isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | InvalidURI):
            text = f"{self._base_url} is not an address. Write it like https://api.example.com/v1."
        elif isinstance(error, httpx.ConnectError | OSError | InvalidHandshake):
            text = self._unreachable(error, causes)
        elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | WebSocketException):
            text = "The server hung up in the middle of its answer. Try again; if it goes on, look at its log."
        else:
            text = f"The server could not be used: {error}"
        return self._error(text, retryable=True)

    def _unreachable(self, error: Exception, causes: list[BaseException]) -> str:
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return f"Nothing listens at {self._base_url}. Start the server there, or correct the address."
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return f"There is no host named {httpx.URL(self._base_url).host}. Correct the address."
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return f"The certificate of {self._base_url} was not accepted: {error}"
        return f"{self._base_url} was not reached: {str(error) or 'the connection failed'}"

    def garbled(self, what: str) -> ProviderError:
        """For an answer that is not of the protocol; `what` is its beginning."""
        text = f"{self._base_url} answered with something that was not understood: {what[:80]!r}. Check the address."
        return self._error(text, retryable=False)

    def no_list(self) -> ProviderError:
        return self._error("The server does not list its models. Type the name of one.", retryable=False)

    def told(self, text: str) -> ProviderError:
        """For an error that the server reported in the middle of an answer."""
        return self._error(f"The server reported: {self._clean(text) or 'an error without words'}.", retryable=True)

    def declined(self, why: str) -> ProviderError:
        """For a model that will not answer; `why` is the vendor's word for the reason."""
        text = f"The model declined to answer: {self._clean(why)}. Change the agent's prompt, or choose another model."
        return self._error(text, retryable=False)

    def broken_off(self) -> ProviderError:
        """For an answer that ended in good order, but before its end."""
        return self._error("The server ended its answer in the middle. Try again.", retryable=True)

    def nothing(self) -> ProviderError:
        return self._error("The server ended its answer before it had begun. Try again.", retryable=True)

    def _said(self, body: str) -> str:
        try:
            parsed = json.loads(body)
        except ValueError:
            return ""
        return self._clean(message_of(parsed))

    def _clean(self, text: str) -> str:
        return self._clean_key(" ".join(text.split()))[:_LONGEST].rstrip(". ")

    def _error(self, text: str, *, retryable: bool) -> ProviderError:
        return ProviderError(self._name, self._clean_key(text), retryable=retryable)

    def _clean_key(self, text: str) -> str:
        return text.replace(self._secret, "[the key]") if self._secret else text


def wait_before_retry(response: httpx.Response, *, repeatable: bool = True) -> float | None:
    """Seconds to wait before asking again after a refusal; None if that is of no use, or too long for a caller.
    What is not `repeatable` is asked again only where nothing was done."""
    if response.status_code not in ((429, 502, 503, 529) if repeatable else (429,)):
        return None
    asked = response.headers.get("Retry-After", "")
    try:
        wait = float(asked) if asked else _USUAL_WAIT
    except ValueError:
        return None  # a date: too long for a call
    return wait if 0 <= wait <= SHORT_WAIT else None


def can_retry(error: httpx.HTTPError, *, repeatable: bool = True) -> bool:
    """Whether a request that failed before its answer began may be sent again: nobody has answered it; what is not
    `repeatable`, only if nobody has received it."""
    if not repeatable:
        return isinstance(error, httpx.ConnectError)
    return isinstance(error, httpx.ConnectError | httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError)


def message_of(error: object) -> str:
    """The words in a server's report of an error, whatever its shape."""
    while isinstance(error, dict | list):
        if isinstance(error, list):
            error = error[0] if error else ""
        else:
            error = next((error[key] for key in _WORDS if error.get(key)), "")
    return str(error or "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__
