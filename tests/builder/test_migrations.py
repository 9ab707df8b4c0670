"""What migrations do to rows that are there already."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from builder.config import AgentConfig
from tests.conftest import VersionFactory

pytestmark = pytest.mark.django_db


def test_a_voice_from_before_there_were_connections_is_a_local_one(version_factory: VersionFactory) -> None:
    version = version_factory()
    before = {"provider": "local", "id": "bf_emma", "speed": 1.1}
    version.config["voice"] = version.agent.draft["voice"] = before
    version.save()
    version.agent.save()
    import_module("builder.migrations.0002_vendors").forget_the_voice_s_provider(apps, None)
    version.refresh_from_db()
    version.agent.refresh_from_db()
    for config in (version.parsed_config, version.agent.draft_config):
        assert isinstance(config, AgentConfig)
        assert (config.voice.connection, config.voice.id, config.voice.speed) == ("local", "bf_emma", 1.1)
