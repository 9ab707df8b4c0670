"""Stripe's way of writing nested values into a form: `items[0][price]=price_1&metadata[plan]=pro`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"[^\[\]]+")


def parse(body: str) -> dict[str, Any]:
    """The values as a tree of dicts and lists; every leaf is text."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(body, keep_blank_values=True):
        *path, last = _PART.findall(key)
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    parsed: dict[str, Any] = _with_lists(tree)
    return parsed


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_with_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _with_lists(value) for key, value in node.items()}
