from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BuilderConfig(AppConfig):
    name = "builder"

    def ready(self) -> None:
        from builder import engine
        from builder.knowledge import pgvector
        from core import lifespan

        lifespan.on_shutdown(engine.close)
        # What a database is able to do is known when it is there, and may change between two migrations.
        post_migrate.connect(pgvector.prepare, sender=self)
