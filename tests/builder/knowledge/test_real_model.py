"""The whole way with the real MiniLM: a file is read, learnt, and answers a question in other words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Organization, User
from builder.knowledge import services
from builder.knowledge.models import ChunkVector, KnowledgeFolder
from builder.knowledge.search import search
from tests.builder.knowledge.corpus import PASSAGES

pytestmark = pytest.mark.models


def test_a_file_answers_a_question_in_other_words(
    models_socket: Path,
    settings: Any,
    folder: KnowledgeFolder,
    owner: User,
    workspace: Organization,
    work: Callable[[], Any],
) -> None:
    settings.MODELS_SOCKET = models_socket
    text = "\n\n".join(f"# {name}\n{passage}" for name, passage in PASSAGES.items())
    with work():
        document = services.file_add(folder=folder, actor=owner, name="Practice.md", parts=[text.encode()])
    document.refresh_from_db()
    assert (document.state, document.problem) == ("ready", "")
    assert ChunkVector.objects.filter(dimensions=384).count() == len(PASSAGES)
    results = search(workspace, [folder.pk], "My face is swollen and it is the middle of the night")
    assert results.problem == ""
    assert "emergency" in [one.chunk.heading for one in results.found]
