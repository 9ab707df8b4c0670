"""The frame of every page: navigation, theme, command palette, messages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from accounts.models import Organization, Role, User
from tests.conftest import AgentFactory, ClientFactory, MemberFactory, OrganizationFactory


@pytest.fixture
def page(workspace: Organization) -> str:
    return reverse("workspace", args=[workspace.slug])


def html(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# --- Navigation -------------------------------------------------------------------------------------------------------


def test_every_link_of_the_shell_leads_somewhere(client_for: ClientFactory, owner: User, page: str) -> None:
    client = client_for(owner)
    links = set(re.findall(r'<a[^>]*href="(/[^"]*)"', html(client, page)))
    assert len(links) >= 6
    assert {link: client.get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_page_one_is_on_is_marked(client_for: ClientFactory, owner: User, page: str) -> None:
    marked = re.findall(r'<a class="nav-item" href="([^"]+)" aria-current="page"', html(client_for(owner), page))
    assert marked == [page]


def test_the_page_above_the_one_one_is_on_is_marked_too(
    client_for: ClientFactory, owner: User, workspace: Organization, agent_factory: AgentFactory
) -> None:
    below = reverse("agent", args=[workspace.slug, agent_factory().id])
    marked = re.findall(r'<a class="nav-item" href="([^"]+)" aria-current="true"', html(client_for(owner), below))
    assert reverse("agents", args=[workspace.slug]) in marked


def test_account_pages_keep_the_workspace_that_one_comes_from(
    client_for: ClientFactory, owner: User, page: str, organization_factory: OrganizationFactory
) -> None:
    second = organization_factory("Second", owner=owner)
    client = client_for(owner)
    for slug in (second.slug, page.split("/")[2]):
        client.get(reverse("workspace", args=[slug]))
        assert f'href="{reverse("agents", args=[slug])}"' in html(client, reverse("account_email"))


def test_no_page_has_a_script_or_a_style_in_it(client_for: ClientFactory, owner: User, page: str) -> None:
    """The Content-Security-Policy would keep the browser from running it."""
    for path in (page, reverse("account_email"), reverse("mfa_index"), reverse("workspace_new"), "/nowhere/"):
        body = html(client_for(owner), path)
        assert not re.search(r"<script(?![^>]*\bsrc=)", body)
        assert not re.search(r"<style|\sstyle=|\son\w+=", body)


# --- Theme ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chosen_theme_is_in_the_page_from_the_start(
    client_for: ClientFactory, owner: User, page: str, theme: str
) -> None:
    client = client_for(owner)
    client.cookies["theme"] = theme
    for path in (page, "/nowhere/"):
        assert f'<html lang="en" data-theme="{theme}">' in html(client, path)


@pytest.mark.parametrize("cookie", [None, "", "pink", '"><script>'])
def test_without_a_choice_the_page_follows_the_system(
    client_for: ClientFactory, owner: User, page: str, cookie: str | None
) -> None:
    client = client_for(owner)
    if cookie is not None:
        client.cookies["theme"] = cookie
    assert re.search(r'<html lang="en"\s*>', html(client, page))


# --- Errors -----------------------------------------------------------------------------------------------------------


def test_an_error_comes_to_htmx_as_a_message_beside_what_was_there(client_for: ClientFactory, owner: User) -> None:
    response = client_for(owner, htmx=True).get("/nowhere/")
    assert response.status_code == 404
    assert response.headers["HX-Retarget"] == "#toasts"
    assert response.headers["HX-Reswap"] == "beforeend"
    assert "data-toast" in response.content.decode()


def test_an_error_page_needs_no_database_and_no_session(rf: Any) -> None:
    from core.errors import server_error

    request = rf.get("/", headers={"Accept": "text/html"})
    request.request_id = "request-12345"
    page = server_error(request).content.decode()
    assert "request-12345" in page
    assert "Server error" in page


# --- Palette ----------------------------------------------------------------------------------------------------------


def palette(client: Client, workspace: Organization) -> dict[str, Any]:
    body: dict[str, Any] = client.get(reverse("palette", args=[workspace.slug])).json()
    return body


def labels(client: Client, workspace: Organization) -> list[str]:
    return [item["label"] for item in palette(client, workspace)["items"]]


def test_everything_in_the_palette_leads_somewhere(
    client_for: ClientFactory, owner: User, workspace: Organization, agent_factory: AgentFactory
) -> None:
    agent_factory("Reception")
    client = client_for(owner)
    items = palette(client, workspace)["items"]
    links = {item["href"].partition("#")[0] for item in items if "href" in item}
    assert {link: client.get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)
    assert {item["action"] for item in items if "action" in item} == {"theme", "sign-out"}


def test_the_palette_knows_the_agents_of_the_workspace_alone(
    client_for: ClientFactory,
    owner: User,
    workspace: Organization,
    other_workspace: Organization,
    agent_factory: AgentFactory,
) -> None:
    agent_factory("Reception")
    agent_factory("Secret", organization=other_workspace)
    found = labels(client_for(owner), workspace)
    assert {"Reception", "Talk to Reception", "New agent"} <= set(found)
    assert not [label for label in found if "Secret" in label]


def test_a_viewer_is_offered_nothing_that_they_may_not_do(
    client_for: ClientFactory, member_factory: MemberFactory, workspace: Organization, agent_factory: AgentFactory
) -> None:
    agent_factory("Reception")
    found = labels(client_for(member_factory(Role.VIEWER)), workspace)
    assert "Reception" in found
    assert "New agent" not in found
    assert "Talk to Reception" not in found


def test_the_palette_opens_a_call_by_its_id(client_for: ClientFactory, owner: User, workspace: Organization) -> None:
    template = palette(client_for(owner), workspace)["call"]
    assert template.replace("{id}", "call_1") == reverse("call", args=[workspace.slug, "call_1"])


def test_the_palette_switches_to_another_workspace(
    client_for: ClientFactory, owner: User, workspace: Organization, organization_factory: OrganizationFactory
) -> None:
    organization_factory("Second", owner=owner)
    found = labels(client_for(owner), workspace)
    assert "Switch to Second" in found
    assert "Switch to Acme" not in found


# --- Forms ------------------------------------------------------------------------------------------------------------


class ExampleForm(forms.Form):
    name = forms.CharField(help_text="As on the door.")
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"class": "mono"}))
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
    side = forms.ChoiceField(choices=[("l", "Left"), ("r", "Right")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="I agree")
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_fields_have_the_class_of_their_kind() -> None:
    drawn = str(ExampleForm())
    assert re.search(r'<input type="text" name="name"[^>]*class="input"', drawn)
    assert re.search(r'<textarea name="note"[^>]*class="textarea mono"', drawn)
    assert re.search(r'<select name="kind"[^>]*class="select"', drawn)
    assert re.search(r'<input type="checkbox" name="agreed"[^>]*class="checkbox"', drawn)
    assert drawn.count('type="radio"') == 2


def test_a_hidden_field_has_no_label() -> None:
    assert "Secret" not in str(ExampleForm())


def test_what_may_be_left_out_says_so() -> None:
    assert len(re.findall(r"\(optional\)", str(ExampleForm()))) == 1


def test_help_and_errors_are_tied_to_their_field() -> None:
    drawn = str(ExampleForm({}))
    assert 'aria-describedby="id_name_helptext id_name_error"' in drawn
    assert 'id="id_name_helptext"' in drawn
    assert 'id="id_name_error"' in drawn
    assert 'aria-invalid="true"' in drawn


def test_what_is_wrong_with_a_form_as_a_whole_is_an_alert() -> None:
    form = ExampleForm({})
    form.add_error(None, "These do not go together.")
    assert re.search(r'role="alert".*These do not go together\.', str(form), re.DOTALL)


def test_help_and_errors_are_shown_as_text() -> None:
    form = ExampleForm({})
    form.add_error("name", "<b>no</b>")
    assert "&lt;b&gt;no&lt;/b&gt;" in str(form)
