from __future__ import annotations

from django.apps import AppConfig


class BuilderConfig(AppConfig):
    name = "builder"

    def ready(self) -> None:
        from builder import engine
        from core import lifespan

        lifespan.on_shutdown(engine.close)
