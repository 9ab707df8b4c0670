"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.gallery import urls as library
from builder.imports.views import agent_import, agent_import_report, agent_origin
from builder.knowledge import urls as knowledge
from builder.pronunciations import urls as pronunciations
from builder.sounds import urls as sounds
from builder.tools import urls as tools
from builder.views import agents, connections, drafts, flows, mixes, problems, start, texts, versions, voice, webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("agents/", agents.agents, name="agents"),
    path("agents/new/", start.agent_new, name="agent_new"),
    path("agents/new/guided/", start.agent_guided, name="agent_guided"),
    path("agents/new/sentence/", start.agent_sentence, name="agent_sentence"),
    path("agents/new/import/", agent_import, name="agent_import"),
    path("agents/new/import/report/", agent_import_report, name="agent_import_report"),
    path("agents/schema.json", texts.agent_schema, name="agent_schema"),
    path("agents/<str:agent_id>/", agents.agent, name="agent"),
    path("agents/<str:agent_id>/save/", agents.agent_save, name="agent_save"),
    path("agents/<str:agent_id>/flow/", flows.agent_flow, name="agent_flow"),
    path("agents/<str:agent_id>/yaml/", texts.agent_yaml, name="agent_yaml"),
    path("agents/<str:agent_id>/agent.yaml", texts.agent_yaml_file, name="agent_yaml_file"),
    path("agents/<str:agent_id>/draft/", drafts.agent_draft, name="agent_draft"),
    path("agents/<str:agent_id>/draft/config/", drafts.agent_save_config, name="agent_save_config"),
    path("agents/<str:agent_id>/draft/yaml/", drafts.agent_save_yaml, name="agent_save_yaml"),
    path("agents/<str:agent_id>/undo/", drafts.agent_undo, name="agent_undo"),
    path("agents/<str:agent_id>/redo/", drafts.agent_redo, name="agent_redo"),
    path("agents/<str:agent_id>/mix/", mixes.agent_mix, name="agent_mix"),
    path("agents/<str:agent_id>/problems/", problems.agent_problems, name="agent_problems"),
    path("agents/<str:agent_id>/origin/", agent_origin, name="agent_origin"),
    path("agents/<str:agent_id>/duplicate/", agents.agent_duplicate, name="agent_duplicate"),
    path("agents/<str:agent_id>/delete/", agents.agent_delete, name="agent_delete"),
    path("agents/<str:agent_id>/voice-preview/", voice.agent_voice_preview, name="agent_voice_preview"),
    path("agents/<str:agent_id>/webhook-test/", webhooks.agent_webhook_test, name="agent_webhook_test"),
    path("agents/<str:agent_id>/publish/", versions.agent_publish, name="agent_publish"),
    path("agents/<str:agent_id>/versions/", versions.agent_versions, name="agent_versions"),
    path("agents/<str:agent_id>/versions/compare/", versions.agent_compare, name="agent_compare"),
    path("agents/<str:agent_id>/versions/<str:version_id>/", versions.agent_version, name="agent_version"),
    path("agents/<str:agent_id>/versions/<str:version_id>/restore/", versions.agent_restore, name="agent_restore"),
    *knowledge.urlpatterns,
    path("connections/", connections.connections, name="connections"),
    path("connections/new/", connections.connection_new, name="connection_new"),
    path("connections/<str:connection_id>/", connections.connection, name="connection"),
    path("connections/<str:connection_id>/test/", connections.connection_test, name="connection_test"),
    path("connections/<str:connection_id>/voices.json", connections.connection_voices, name="connection_voices"),
    path("connections/<str:connection_id>/delete/", connections.connection_delete, name="connection_delete"),
    *library.urlpatterns,
    *pronunciations.urlpatterns,
    *sounds.urlpatterns,
    *tools.urlpatterns,
]
