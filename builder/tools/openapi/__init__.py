"""Tools from an OpenAPI 3 document: a tool for each operation that is chosen."""

from __future__ import annotations

from builder.documents import NotUnderstood
from builder.tools.openapi.operations import Api, Operation, read_api

__all__ = ["Api", "NotUnderstood", "Operation", "read_api"]
