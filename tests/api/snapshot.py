"""Write tests/api/openapi.json anew: `python -m tests.api.snapshot`."""

from __future__ import annotations

import json
import os
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from api.urls import api

    schema = json.dumps(api.get_openapi_schema(path_prefix=""), indent=2, sort_keys=True)
    Path(__file__).with_name("openapi.json").write_text(f"{schema}\n")


if __name__ == "__main__":
    main()
