"""What changes the library, and what it changes on agents."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from accounts.models import Organization, User
from accounts.services import audit
from builder import engine
from builder.gallery import files
from builder.gallery.models import AddedVoice, FavouriteVoice, VoiceFile
from builder.gallery.selectors import agents_using
from builder.in_use import require_unused
from builder.models import Agent, ModelConnection
from builder.services import agent_save_draft
from core.errors import ApiError, ErrorCode
from voice.providers.base import ProviderError

MOST_FILES = 30
SHORTEST_BYTES = 3_200
"""A tenth of a second of speech: less is no word."""
SAMPLES = {
    "en": "Hello! This is how I sound.",
    "es": "Hola, así sueno.",
    "fr": "Bonjour, voici ma voix.",
    "de": "Hallo, so klinge ich.",
    "it": "Ciao, questa è la mia voce.",
    "pt": "Olá, esta é a minha voz.",
}
"""By ISO 639-1 code: what an uploaded voice says first. Others say the one in English."""


@transaction.atomic
def voice_mark(*, organization: Organization, actor: User, connection: str, voice: str) -> bool:
    """Mark a voice as a favourite, or take the mark off. Whether it is marked now."""
    mark, marked = FavouriteVoice.objects.get_or_create(organization=organization, connection=connection, voice=voice)
    if not marked:
        mark.delete()
    before, after = ("", voice) if marked else (voice, "")
    audit(
        organization=organization,
        actor=actor,
        action="voice.marked",
        target=connection,
        changes={"voice": (before, after)},
    )
    return marked


def voice_use(*, agent: Agent, actor: User, connection: str, voice: str) -> Agent:
    """Have the draft of `agent` speak with a voice. Its pace and what stands behind it stay. Raises ApiError."""
    config = agent.draft_config
    # A model belongs to the connection that it is at.
    model = config.voice.model if config.voice.connection == connection else ""
    changed = config.voice.model_copy(update={"connection": connection, "id": voice, "model": model})
    return agent_save_draft(
        agent=agent,
        actor=actor,
        name=agent.name,
        config=config.model_copy(update={"voice": changed}),
        revision=agent.draft_revision,
    )


def voice_file_create(
    *,
    organization: Organization,
    actor: User,
    name: str,
    kind: str,
    gender: str,
    file: Iterable[bytes],
    config: bytes = b"",
) -> VoiceFile:
    """Keep an uploaded voice, once it has said some words. `config` is the JSON file of a Piper voice.

    Raises UnusableVoice for files that are no voice or cannot speak here, and ApiError (validation failed) for too
    many of them.
    """
    if organization.voice_files.count() >= MOST_FILES:
        message = f"A workspace has at most {MOST_FILES} voices of its own. Delete one first."
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Too many voices", message)
    made = VoiceFile(organization=organization, name=name, kind=kind, gender=gender, language="en")
    try:
        if kind == VoiceFile.Kind.PIPER:
            made.size = files.store_piper(made.pk, file, config)
            made.language = files.language_of(files.read_config(config))
        else:
            made.size = files.store_kokoro(made.pk, file)
        _require_sound(made)
        return _stored(made, actor)
    except BaseException:
        files.remove(made.pk)
        raise


def _require_sound(voice: VoiceFile) -> None:
    """Have the model process load the voice and say some words. Raises UnusableVoice that says why it cannot."""
    language = voice.language.partition("-")[0]
    text = SAMPLES.get(language, SAMPLES["en"])
    try:
        pcm = engine.speak(text, voice=voice.pk, speed=1.0, language=language)
    except ProviderError as error:
        raise files.UnusableVoice(str(error)) from error
    if len(pcm) < SHORTEST_BYTES:
        raise files.UnusableVoice("The voice makes no sound.")


@transaction.atomic
def _stored(voice: VoiceFile, actor: User) -> VoiceFile:
    voice.save(force_insert=True)
    created = {"name": ("", voice.name), "kind": ("", voice.kind)}
    audit(organization=voice.organization, actor=actor, action="voice.uploaded", target=voice.pk, changes=created)
    return voice


@transaction.atomic
def voice_file_delete(*, file: VoiceFile, actor: User) -> None:
    """Raises ApiError (conflict), which names the agents, while any agent's draft or live version speaks with it."""
    require_unused(file, agents_using(file), "Choose another voice there and publish")
    key, deleted = file.pk, {"name": (file.name, "")}
    audit(organization=file.organization, actor=actor, action="voice.deleted", target=key, changes=deleted)
    file.delete()
    transaction.on_commit(lambda: files.remove(key))


@transaction.atomic
def voice_add(
    *, connection: ModelConnection, actor: User, voice: str, label: str, language: str, gender: str
) -> AddedVoice:
    """List a voice of a connection by the id that its vendor has for it, or change how it is listed."""
    known = {"organization": connection.organization, "label": label, "language": language, "gender": gender}
    added, _ = AddedVoice.objects.update_or_create(connection=connection, voice=voice, defaults=known)
    audit(
        organization=connection.organization,
        actor=actor,
        action="voice.added",
        target=connection.pk,
        changes={"voice": ("", voice), "label": ("", label)},
    )
    return added


@transaction.atomic
def voice_remove(*, added: AddedVoice, actor: User) -> None:
    """List it no more. Agents that speak with it go on to do so: the voice is the vendor's."""
    removed = {"voice": (added.voice, "")}
    audit(
        organization=added.organization,
        actor=actor,
        action="voice.removed",
        target=added.connection_id,
        changes=removed,
    )
    added.delete()
