"""The rows of controls on the pages of tools."""

from __future__ import annotations

from builder.fields import Column, tidy_variable
from builder.tools.kinds import LONGEST_ALLOWED

TYPES = [
    ("string", "Text"),
    ("number", "Number"),
    ("integer", "Whole number"),
    ("boolean", "Yes or no"),
    ("strings", "Several texts"),
    ("json", "JSON"),
]
PLACES = [("query", "Query"), ("path", "Path"), ("body", "Body (JSON)"), ("header", "Header")]
SOURCES = [("model", "The model"), ("constant", "Always the same"), ("variable", "A variable of the call")]
METHODS = [(name, name) for name in ("GET", "POST", "PUT", "PATCH", "DELETE")]
AUTH = [("none", "Nothing"), ("bearer", "Bearer token"), ("basic", "User and password (Basic)")]
ENGINES = [
    ("tavily", "Tavily"),
    ("exa", "Exa"),
    ("brave", "Brave Search"),
    ("duckduckgo", "DuckDuckGo, without a key (extra package ddgs)"),
]


_NAME = Column(name="name", label="Name", placeholder="order_number", required=True, longest=100)
_TYPE = Column(name="type", label="Type", choices=TYPES)
_ALLOWED = Column(
    name="allowed", label="May be", placeholder="small, large; of JSON its schema", longest=LONGEST_ALLOWED
)
_REQUIRED = Column(name="required", label="Needed", choices=[("yes", "Always"), ("", "If known")])
_DESCRIPTION = Column(name="description", label="What it is", placeholder="The number on the receipt", longest=1_000)

CLIENT_VALUES = [_NAME, _TYPE, _ALLOWED, _REQUIRED, _DESCRIPTION]
REQUEST_VALUES = [
    _NAME,
    Column(name="where", label="Where", choices=PLACES),
    Column(name="source", label="Written by", choices=SOURCES),
    Column(name="value", label="Value or variable", placeholder="if not by the model", longest=2_000),
    _TYPE,
    _ALLOWED,
    _REQUIRED,
    _DESCRIPTION,
]
HEADERS = [
    Column(name="name", label="Name", placeholder="X-Api-Key", required=True, longest=100),
    Column(name="value", label="Value", placeholder="{{secret__shop_key}}", required=True, longest=4_000),
]
ASSIGNMENTS = [
    Column(name="path", label="In the answer", placeholder="booking.slots.0.time", required=True, longest=200),
    Column(name="variable", label="Variable", placeholder="slot", required=True, tidy=tidy_variable),
]
