"""Dictionaries of how words are said: their pages, their CSV, and what calls get of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, Organization, User
from builder import engine
from builder.changes import changes
from builder.compile import compile_config
from builder.config import AgentConfig
from builder.forms import AgentForm
from builder.pronunciations import exchange
from builder.pronunciations.models import PronunciationDictionary
from builder.pronunciations.services import MOST_ENTRIES, entries_import
from tests.builder.pages import address, html, page_data
from tests.conftest import AgentFactory, ClientFactory, VersionFactory
from voice.spec import Pronunciation

pytestmark = pytest.mark.django_db

NGUYEN = {"text": "Nguyen", "alias": "win", "ipa": "/wən/", "whole_word": "on"}


@pytest.fixture
def dictionary(workspace: Organization) -> PronunciationDictionary:
    return workspace.pronunciation_dictionaries.create(name="Names")


def page(name: str, dictionary: PronunciationDictionary, **more: str) -> str:
    return reverse(name, kwargs={"workspace": dictionary.organization.slug, "dictionary_id": dictionary.pk, **more})


def test_a_member_makes_a_dictionary_and_an_entry(
    client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    client = client_for(member)
    client.post(reverse("pronunciations", args=[workspace.slug]), {"name": "Brands"})
    made = workspace.pronunciation_dictionaries.get()
    assert client.post(made.get_absolute_url(), NGUYEN).status_code == 302
    assert made.entries.get().pronunciation == Pronunciation(text="Nguyen", alias="win", ipa="wən")
    shown = html(client.get(made.get_absolute_url()))
    assert "Nguyen" in shown
    assert "wən" in shown
    actions = AuditEntry.objects.filter(target=made.pk).values_list("action", flat=True)
    assert set(actions) == {"dictionary.created", "dictionary.entry_saved"}


def test_a_viewer_reads_and_changes_nothing(
    client_for: ClientFactory, viewer: User, dictionary: PronunciationDictionary
) -> None:
    client = client_for(viewer)
    assert client.get(dictionary.get_absolute_url()).status_code == 200
    assert client.post(dictionary.get_absolute_url(), NGUYEN).status_code == 403
    assert client.post(page("pronunciation_delete", dictionary)).status_code == 403
    assert not dictionary.entries.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"alias": "", "ipa": ""}, "Write how it is said"),
        ({"ipa": "w<ən"}, "no sound of the phonetic alphabet"),
        ({"text": "Huỳnh"}, "is in this dictionary already"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words(
    client_for: ClientFactory, member: User, dictionary: PronunciationDictionary, typed: dict[str, str], said: str
) -> None:
    dictionary.entries.create(text="Huỳnh", alias="hwin")
    response = client_for(member).post(dictionary.get_absolute_url(), NGUYEN | typed)
    assert response.status_code == 422
    assert said in html(response)
    assert dictionary.entries.count() == 1


def test_an_entry_is_changed_and_deleted(
    client_for: ClientFactory, member: User, dictionary: PronunciationDictionary
) -> None:
    entry = dictionary.entries.create(text="Nguyen", alias="noo yen")
    client = client_for(member)
    client.post(page("pronunciation_entry", dictionary, entry_id=entry.pk), {"text": "Nguyen", "alias": "win"})
    entry.refresh_from_db()
    assert (entry.alias, entry.whole_word) == ("win", False)
    client.post(page("pronunciation_entry_delete", dictionary, entry_id=entry.pk))
    assert not dictionary.entries.exists()


def test_it_is_heard_before_and_after(
    client_for: ClientFactory, member: User, dictionary: PronunciationDictionary, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def speak(text: str, *, lexicon: Any, **options: Any) -> bytes:
        heard.append(lexicon.spoken(text, "en", "inline"))
        return bytes(320)

    monkeypatch.setattr(engine, "speak", speak)
    entry = dictionary.entries.create(text="Nguyen", alias="win", ipa="wən")
    voice = {"connection": "local", "voice": "af_heart", "speed": "1"}
    for say in (entry.before, entry.after):
        response = client_for(member).post(page("pronunciation_listen", dictionary), voice | json.loads(say))
        assert response["Content-Type"] == "audio/wav"
    assert heard == ["Nguyen", "[win](/wən/)"]


# --- agents


def test_agents_get_the_entries_of_their_dictionaries(
    agent_factory: AgentFactory, dictionary: PronunciationDictionary, other_workspace: Organization
) -> None:
    dictionary.entries.create(text="Nguyen", alias="win")
    foreign = other_workspace.pronunciation_dictionaries.create(name="Theirs")
    foreign.entries.create(text="Secret", alias="sss")
    config = AgentConfig(pronunciations=(foreign.pk, "dict_gone", dictionary.pk))
    compiled = compile_config(agent_factory(), config)
    assert compiled.spec.pronunciations == (Pronunciation(text="Nguyen", alias="win"),)


def test_the_agents_page_offers_the_dictionaries_of_the_workspace(
    agent_factory: AgentFactory, dictionary: PronunciationDictionary, other_workspace: Organization
) -> None:
    foreign = other_workspace.pronunciation_dictionaries.create(name="Theirs")
    agent = agent_factory()
    form = AgentForm(page_data(agent, pronunciations=[dictionary.pk]), organization=agent.organization, agent=agent)
    assert form.is_valid(), form.errors
    assert form.config.pronunciations == (dictionary.pk,)
    form = AgentForm(page_data(agent, pronunciations=[foreign.pk]), organization=agent.organization, agent=agent)
    assert not form.is_valid()


def test_a_change_of_dictionaries_is_told_by_their_names(dictionary: PronunciationDictionary) -> None:
    change = changes(AgentConfig(), AgentConfig(pronunciations=(dictionary.pk, "dict_gone")))[0]
    assert (change.label, change.before, change.after) == ("Pronunciations", "none", "Names, a deleted dictionary")


def test_a_dictionary_in_use_stays(
    client_for: ClientFactory, member: User, version_factory: VersionFactory, dictionary: PronunciationDictionary
) -> None:
    version = version_factory(config=AgentConfig(pronunciations=(dictionary.pk,)))
    client = client_for(member)
    assert client.post(page("pronunciation_delete", dictionary)).status_code == 409
    assert version.agent.name in html(client.get(dictionary.get_absolute_url()))
    version.agent.delete()
    assert client.post(page("pronunciation_delete", dictionary)).status_code == 302
    assert not PronunciationDictionary.objects.exists()


def test_a_preview_on_the_agents_page_says_words_as_its_draft_does(
    client_for: ClientFactory,
    member: User,
    agent_factory: AgentFactory,
    dictionary: PronunciationDictionary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []

    def speak(text: str, *, lexicon: Any, **options: Any) -> bytes:
        heard.append(lexicon.apply(text))
        return bytes(320)

    monkeypatch.setattr(engine, "speak", speak)
    dictionary.entries.create(text="Nguyen", alias="win")
    agent = agent_factory(config=AgentConfig(pronunciations=(dictionary.pk,)))
    words = {"connection": "local", "text": "Hi, Nguyen.", "voice": "af_heart", "speed": "1"}
    client_for(member).post(address("agent_voice_preview", agent), words)
    assert heard == ["Hi, win."]


# --- CSV


def test_a_file_is_taken_but_for_its_bad_lines(
    client_for: ClientFactory, member: User, dictionary: PronunciationDictionary
) -> None:
    dictionary.entries.create(text="SQL", alias="ess queue ell")
    text = "text,alias,ipa,case_sensitive,whole_word\nSQL,sequel,,yes,\nNguyen,,wən,,no\nnothing,,,,\nx,y,,maybe,\n"
    file = SimpleUploadedFile("names.csv", b"\xef\xbb\xbf" + text.encode())
    response = client_for(member).post(page("pronunciation_import", dictionary), {"file": file})
    shown = html(response)
    assert "1 added, 1 changed" in shown
    assert "Line 4 (“nothing”): alias: Write how it is said" in shown
    assert "Line 5 (“x”): case_sensitive: write yes or no." in shown
    assert [entry.pronunciation for entry in dictionary.entries.all()] == [
        Pronunciation(text="Nguyen", ipa="wən", whole_word=False),
        Pronunciation(text="SQL", alias="sequel", case_sensitive=True),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Nguyen,win\n", "The first line has to name the columns"),
        (b"text,alias\n\xff\xfe,x\n", "not in UTF-8"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_none_is_refused(
    client_for: ClientFactory, member: User, dictionary: PronunciationDictionary, content: bytes, said: str
) -> None:
    file = SimpleUploadedFile("names.csv", content)
    response = client_for(member).post(page("pronunciation_import", dictionary), {"file": file})
    assert response.status_code == 422
    assert said in html(response)


def test_a_full_dictionary_takes_none(member: User, dictionary: PronunciationDictionary) -> None:
    many = [Pronunciation(text=f"word {number}", alias="w") for number in range(MOST_ENTRIES)]
    assert entries_import(dictionary=dictionary, actor=member, entries=many) == (MOST_ENTRIES, 0)
    with pytest.raises(Exception, match="holds up to"):
        entries_import(dictionary=dictionary, actor=member, entries=[Pronunciation(text="one more", alias="w")])


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@given(st.lists(st.builds(Pronunciation, text=WORDS, alias=WORDS, case_sensitive=st.booleans()), max_size=5))
def test_what_is_exported_comes_back(entries: list[Pronunciation]) -> None:
    sheet = exchange.read(exchange.written(entries))
    assert sheet.bad == []
    assert sheet.entries == {entry.text: entry for entry in entries}


def test_an_export_is_a_file_without_formulas(
    client_for: ClientFactory, viewer: User, dictionary: PronunciationDictionary
) -> None:
    dictionary.entries.create(text="=cmd()", alias="command")
    response = client_for(viewer).get(page("pronunciation_export", dictionary))
    assert response["Content-Disposition"] == 'attachment; filename="pronunciations.csv"'
    assert response.content.decode().splitlines()[1] == "'=cmd(),command,,no,yes"
