"""The texts that a flow is written in: ids, expressions, templates, and what each of them may be."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, TypeAdapter

from voice.flow.expressions import LONGEST, ExpressionError, parse
from voice.tools.addresses import whole_url


def _expression(text: str) -> str:
    try:
        parse(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from None
    return text


def _pattern(text: str) -> str:
    try:
        matcher(text)
    except Exception as error:
        raise ValueError(f"“{text}” is no regular expression.") from error
    return text


@lru_cache(maxsize=256)  # each takes a millisecond to make, and every slot of every step has one
def matcher(pattern: str) -> TypeAdapter[str]:
    """What takes only texts that fit a regular expression as a whole. Its time grows with the text, whatever the
    expression: it was written by a user, and the event loop carries other calls."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$" if pattern else ".*")])


def _address(url: str) -> str:
    return whole_url(url) if url else ""


StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
To = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,39})?$")]
"""The id of the step that a route leads to; "" where it leads nowhere yet."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$")]
"""A variable's."""
Condition = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_expression)]
"""An expression (`voice.flow.expressions`)."""
Words = Annotated[str, StringConstraints(max_length=1_000)]
"""Said in these words; may hold {{variables}}."""
Template = Annotated[str, StringConstraints(max_length=4_000)]
"""A text that may hold {{variables}}."""
Pattern = Annotated[str, StringConstraints(max_length=200), AfterValidator(_pattern)]
"""A regular expression."""
Address = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_address)]
"""A whole URL, or none yet."""
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
FieldName = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]{0,99}$")]
