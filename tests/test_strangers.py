"""Nobody sees another workspace: every address of the project is tried as a stranger, and as nobody.

The addresses are taken from the URL patterns themselves. A new kind of argument has to be added to `Somebodys`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import Organization, Role, User
from accounts.services import api_key_create
from billing.invoices.models import Invoice
from billing.invoices.services import invoice_issue
from billing.limits.models import Budget
from builder.gallery.models import AddedVoice, VoiceFile
from builder.imports.models import AgentImport
from builder.imports.report import Report
from builder.knowledge import files
from builder.knowledge.models import Document, KnowledgeFolder, Website
from builder.models import Secret, Tool
from builder.pronunciations.models import PronunciationEntry
from builder.routing import websocket_urlpatterns as editing
from builder.sounds import files as sounds
from builder.sounds.services import sound_create
from telephony.recordings import recording_path, remove_recording
from telephony.routing import websocket_urlpatterns as calls
from tests.conftest import CallFactory, ClientFactory, ConnectionFactory, MemberFactory, VersionFactory

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Address:
    """A pattern: the name to reverse it by, its route, and the names of its arguments."""

    name: str
    route: str
    arguments: frozenset[str]

    @property
    def objects(self) -> frozenset[str]:
        return self.arguments - {"workspace"}


def addresses(patterns: list[Any], route: str = "", arguments: frozenset[str] = frozenset()) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        found = arguments | set(pattern.pattern.regex.groupindex) | set(pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here, found)
        else:
            assert isinstance(pattern, URLPattern)
            yield Address(pattern.name or "", here, found)


EVERY = list(addresses(get_resolver().url_patterns))
OURS = [address for address in EVERY if not address.route.lstrip("^").startswith("accounts/")]
WORKSPACE = [address for address in EVERY if "workspace" in address.arguments]
# Of whoever runs the installation: tests/billing/test_plans.py shows that others do not find it.
OF_THE_INSTALLATION = {"plan_versions"}
WITH_OBJECTS = [address for address in WORKSPACE if address.objects]
SOCKETS = list(addresses([*editing, *calls]))


def named(address: Address) -> str:
    return address.name or address.route


@dataclass(frozen=True)
class Somebodys:
    """Real things of somebody's workspace, one for every argument that an address may have."""

    workspace: str
    agent_id: str
    version_id: str
    connection_id: str
    tool_id: str
    secret_id: str
    call_id: str
    folder_id: str
    document_id: str
    website_id: str
    dictionary_id: str
    entry_id: str
    plan_id: str
    key_id: str
    invoice_id: str
    budget_id: str
    voice_id: str
    added_id: str
    sound_id: str

    def arguments(self, address: Address, **others: str) -> dict[str, str]:
        unknown = address.arguments - set(self.__dataclass_fields__)
        assert not unknown, f"{address.route} takes {unknown}: make one in tests/test_strangers.py"
        return {name: others.get(name, getattr(self, name)) for name in address.arguments}

    def path(self, address: Address, **others: str) -> str:
        return reverse(address.name, kwargs=self.arguments(address, **others))

    def socket_path(self, address: Address, **others: str) -> str:
        arguments = self.arguments(address, **others)
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: arguments[match[1]], address.route)


@pytest.fixture
def acme(
    workspace: Organization,
    version_factory: VersionFactory,
    connection_factory: ConnectionFactory,
    call_factory: CallFactory,
    owner: User,
) -> Iterator[Somebodys]:
    """One of everything, in `workspace`; the call has a recording."""
    version = version_factory()
    call = call_factory(version, recording_seconds=1.0)
    recording = recording_path(call.id)
    recording.parent.mkdir(parents=True, exist_ok=True)
    AgentImport.objects.create(agent=version.agent, format="vapi", report=Report().as_json())
    entry = PronunciationEntry.objects.create(
        dictionary=workspace.pronunciation_dictionaries.create(name="Names"), text="Nguyen", alias="win"
    )
    soundfile.write(recording, np.zeros((16_000, 2), np.int16), 16_000)
    key, _, _ = files.store([b"Hello."])
    folder = KnowledgeFolder.objects.create(organization=workspace, name="Prices")
    document = Document.objects.create(
        folder=folder, source="file", name="hello.txt", storage_key=key, updated_at=timezone.now()
    )
    website = Website.objects.create(folder=folder, url="https://example.org/")
    connection = connection_factory()
    added = AddedVoice.objects.create(organization=workspace, connection=connection, voice="mine", label="Mine")
    voice = VoiceFile.objects.create(organization=workspace, name="Ana", kind="kokoro", language="en", size=1)
    rain = io.BytesIO()
    soundfile.write(rain, np.sin(np.arange(48_000) / 8), 16_000, format="WAV")
    sound = sound_create(organization=workspace, actor=owner, name="Rain", parts=[rain.getvalue()])
    yield Somebodys(
        workspace=workspace.slug,
        agent_id=version.agent_id,
        version_id=version.id,
        connection_id=connection.id,
        tool_id=Tool.objects.create(organization=workspace, kind="client", name="open_page", config={}).pk,
        secret_id=Secret.objects.create(organization=workspace, name="key", value="sk-secret").pk,
        call_id=call.id,
        folder_id=document.folder_id,
        document_id=document.id,
        website_id=website.id,
        dictionary_id=entry.dictionary_id,
        entry_id=entry.id,
        invoice_id=invoice_issue(
            organization=workspace, kind=Invoice.Kind.START, key="first", lines=[], at=timezone.now()
        ).pk,
        budget_id=Budget.objects.create(organization=workspace, name="All", limit=1).pk,
        plan_id="pro",
        key_id=api_key_create(organization=workspace, actor=owner, name="Export", kind="admin")[0].pk,
        voice_id=voice.pk,
        added_id=str(added.pk),
        sound_id=sound.pk,
    )
    sounds.remove(sound.pk)
    files.remove(document.storage_key)
    remove_recording(call.id)


def test_the_addresses_are_really_walked() -> None:
    assert {"agent", "call", "call_recording", "call_outline", "palette", "workspace"} <= {
        address.name for address in WORKSPACE
    }
    assert SOCKETS


def test_recordings_are_not_among_the_static_files() -> None:
    """They are read by the view alone, which knows whose they are."""
    served = [Path(settings.STATIC_ROOT), *(Path(folder) for folder in settings.STATICFILES_DIRS)]
    assert not [folder for folder in served if Path(settings.RECORDINGS_DIR).is_relative_to(folder)]


@pytest.mark.parametrize("address", OURS, ids=named)
def test_every_address_with_an_object_in_it_is_in_a_workspace(address: Address) -> None:
    if address.arguments and address.name not in OF_THE_INSTALLATION:
        assert address.name
        assert address.route.startswith("w/<slug:workspace>/")


@pytest.mark.parametrize("address", WORKSPACE, ids=named)
def test_a_member_finds_what_the_others_do_not(
    address: Address, acme: Somebodys, owner: User, client_for: ClientFactory
) -> None:
    """The control: without it, the tests below would pass on a mistyped id."""
    assert client_for(owner).get(acme.path(address)).status_code in {200, 302, 405}


@pytest.mark.parametrize("address", WORKSPACE, ids=named)
def test_a_stranger_finds_nothing(address: Address, acme: Somebodys, stranger: User, client_for: ClientFactory) -> None:
    path, client = acme.path(address), client_for(stranger)
    assert {method: client.generic(method, path).status_code for method in METHODS} == dict.fromkeys(METHODS, 404)


@pytest.mark.parametrize("address", WITH_OBJECTS, ids=named)
def test_a_stranger_finds_nothing_through_a_workspace_of_their_own(
    address: Address, acme: Somebodys, stranger: User, other_workspace: Organization, client_for: ClientFactory
) -> None:
    path, client = acme.path(address, workspace=other_workspace.slug), client_for(stranger)
    statuses = {client.generic(method, path).status_code for method in METHODS}
    assert 404 in statuses
    # A method that the address does not know is refused before anything is looked up.
    assert statuses <= {404, 405}


@pytest.mark.parametrize("address", WORKSPACE, ids=named)
def test_nobody_is_asked_to_sign_in(address: Address, acme: Somebodys, client_for: ClientFactory) -> None:
    path, client = acme.path(address), client_for()
    login = f"{reverse('account_login')}?next={path}"
    answers = {method: client.generic(method, path).headers.get("Location") for method in METHODS}
    assert answers == dict.fromkeys(METHODS, login)


@pytest.mark.parametrize("address", WORKSPACE, ids=named)
def test_a_program_that_is_not_signed_in_gets_401(address: Address, acme: Somebodys, client_for: ClientFactory) -> None:
    assert client_for(accept="application/json").get(acme.path(address)).status_code == 401


@pytest.mark.parametrize("address", WORKSPACE, ids=named)
def test_who_was_a_member_finds_nothing_any_more(
    address: Address, acme: Somebodys, member_factory: MemberFactory, client_for: ClientFactory
) -> None:
    former = member_factory(Role.ADMIN)
    client = client_for(former)
    assert client.get(acme.path(address)).status_code != 404
    former.memberships.all().delete()
    assert client.get(acme.path(address)).status_code == 404


# --- WebSockets -------------------------------------------------------------------------------------------------------


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


async def close_code(path: str, session: str = "") -> int:
    """The code with which the server closes a socket at `path` by itself."""
    from config.asgi import application

    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    if session:
        headers.append((b"cookie", f"sessionid={session}".encode()))
    communicator = WebsocketCommunicator(application, path, headers)
    await communicator.connect()
    try:
        while (message := await communicator.receive_output(timeout=10))["type"] != "websocket.close":
            assert message["type"] in {"websocket.accept", "websocket.send"}
        return int(message["code"])
    finally:
        await communicator.wait()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", SOCKETS, ids=named)
def test_a_stranger_is_turned_away_from_a_socket(address: Address, acme: Somebodys, stranger: User) -> None:
    assert async_to_sync(close_code)(acme.socket_path(address), session_of(stranger)) == 4404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", SOCKETS, ids=named)
def test_a_stranger_is_turned_away_from_a_socket_in_their_own_workspace(
    address: Address, acme: Somebodys, stranger: User, other_workspace: Organization
) -> None:
    path = acme.socket_path(address, workspace=other_workspace.slug)
    assert async_to_sync(close_code)(path, session_of(stranger)) == 4404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", SOCKETS, ids=named)
def test_nobody_is_turned_away_from_a_socket(address: Address, acme: Somebodys) -> None:
    assert async_to_sync(close_code)(acme.socket_path(address)) == 4401
