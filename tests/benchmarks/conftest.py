from __future__ import annotations

from tests.fixtures_models import models_dir

__all__ = ["models_dir"]
