"""What axe-core has to say about a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES: dict[str, object] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
COLOURS: dict[str, object] = {"type": "rule", "values": ["color-contrast"]}
"""All that another colour scheme may change."""


def violations(page: Page, rules: dict[str, object] = RULES) -> list[tuple[str, list[str]]]:
    """The rules of WCAG 2.1 A and AA that the page breaks, each with the elements. Open it with `bypass_csp=True`."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install).")
    page.add_script_tag(path=AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]
