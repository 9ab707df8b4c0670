"""The test button: the very request without its secrets, the answer, and what the model would read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.urls import reverse

from accounts.models import Organization, User
from builder.models import Tool
from core import http
from tests.builder.pages import html
from tests.builder.tools.conftest import SecretFactory, ToolFactory
from tests.conftest import ClientFactory, ConnectionFactory

pytestmark = pytest.mark.django_db

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Answers the requests of tools."""

    def serve(answer: Answer) -> None:
        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(http, "async_client", lambda **options: httpx.AsyncClient(transport=transport))

    return serve


def url(tool: Tool) -> str:
    return reverse("tool_test", args=[tool.organization.slug, tool.pk])


def test_it_shows_the_request_the_answer_and_what_the_model_reads(
    client_for: ClientFactory,
    admin: User,
    tool_factory: ToolFactory,
    secret_factory: SecretFactory,
    served: Callable[[Answer], None],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["X-Key"] == "sk-very-secret"
        return httpx.Response(200, json={"status": "sent", "note": None, "your_key": request.headers["X-Key"]})

    served(answer)
    secret_factory()
    client, tool = client_for(admin), tool_factory()
    assert 'name="arg.number"' in html(client.get(tool.get_absolute_url()))
    page = html(client.post(url(tool), {"arg.number": "47 11"}))
    assert "GET https://shop.example.org/orders/47%2011" in page
    assert "x-key: ••••" in page
    assert "200 OK" in page
    assert "{&quot;status&quot;:&quot;sent&quot;,&quot;your_key&quot;:&quot;••••&quot;}" in page
    assert "sk-very-secret" not in page


@pytest.mark.parametrize("key", ["sk-very-secret", "SK1:sk-very-secret"])
def test_a_text_message_is_tried_without_its_key_on_the_page(
    key: str,
    client_for: ClientFactory,
    admin: User,
    tool_factory: ToolFactory,
    connection_factory: ConnectionFactory,
    served: Callable[[Answer], None],
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"sid": "SM1"})

    served(answer)
    carrier = connection_factory("Twilio", vendor="twilio", base_url="", api_key=key, account_number="AC1")
    client, tool = client_for(admin), tool_factory(kind="sms", connection=carrier.pk, sender="+14155550100")
    form = html(client.get(tool.get_absolute_url()))
    assert 'name="arg.text"' in form
    assert 'name="var.system__caller_id"' in form
    page = html(client.post(url(tool), {"arg.text": "Hi", "var.system__caller_id": "+4930123456"}))
    assert "The text message to +4930123456 is on its way (SM1)." in page
    assert "authorization: Basic ••••" in page
    assert "sk-very-secret" not in page
    assert seen[0].headers["Authorization"].removeprefix("Basic ") not in page


def test_a_failure_is_told_in_words(
    client_for: ClientFactory,
    admin: User,
    tool_factory: ToolFactory,
    secret_factory: SecretFactory,
    served: Callable[[Answer], None],
) -> None:
    served(lambda request: httpx.Response(404, text=f"No such order, {request.headers['X-Key']}"))
    secret_factory()
    page = html(client_for(admin).post(url(tool_factory()), {"arg.number": "1"}))
    assert "It did not work" in page
    assert "Error: The service refused with status 404: No such order, ••••" in page


def test_a_request_that_is_repeated_is_shown_each_time(
    client_for: ClientFactory,
    admin: User,
    tool_factory: ToolFactory,
    secret_factory: SecretFactory,
    served: Callable[[Answer], None],
) -> None:
    statuses = iter([503, 200])
    served(lambda request: httpx.Response(next(statuses), json={"status": "sent"}))
    secret_factory()
    page = html(client_for(admin).post(url(tool_factory()), {"arg.number": "1"}))
    assert page.index("503 Service Unavailable") < page.index("200 OK")


def test_a_tool_in_the_background_is_waited_for_and_its_variables_are_shown(
    client_for: ClientFactory, admin: User, tool_factory: ToolFactory, served: Callable[[Answer], None]
) -> None:
    served(lambda request: httpx.Response(200, json={"slot": request.url.params["day"]}))
    tool = tool_factory(
        url="https://a.example.org/slots",
        background=True,
        parameters=[{"name": "day", "where": "query", "source": "variable", "value": "customer.day"}],
        assign=[{"path": "slot", "variable": "slot"}],
    )
    page = html(client_for(admin).post(url(tool), {"var.customer.day": "Monday"}))
    assert "It works" in page
    assert "slot = &quot;Monday&quot;" in page


def test_what_the_model_must_write_must_be_given(
    client_for: ClientFactory, admin: User, tool_factory: ToolFactory, secret_factory: SecretFactory
) -> None:
    secret_factory()
    response = client_for(admin).post(url(tool_factory()), {"arg.number": ""})
    assert response.status_code == 422
    assert "This field is required" in html(response)


def test_each_type_has_a_control_that_gives_what_the_model_would_write(
    client_for: ClientFactory, admin: User, tool_factory: ToolFactory, served: Callable[[Answer], None]
) -> None:
    served(lambda request: httpx.Response(200, content=request.content))
    types = ["string", "integer", "number", "boolean", "strings"]
    tool = tool_factory(
        method="POST", url="https://a.example.org", parameters=[{"name": kind, "type": kind} for kind in types]
    )
    values = {"string": "7", "integer": "7", "number": "0.5", "boolean": "false", "strings": "a\nb"}
    page = html(client_for(admin).post(url(tool), {f"arg.{name}": value for name, value in values.items()}))
    told = "{'string':'7','integer':7,'number':0.5,'boolean':false,'strings':['a','b']}".replace("'", "&quot;")
    assert told in page


def test_without_its_secret_it_says_so(client_for: ClientFactory, admin: User, tool_factory: ToolFactory) -> None:
    tool = tool_factory()
    assert "needs the secret shop_key" in html(client_for(admin).get(tool.get_absolute_url()))
    response = client_for(admin).post(url(tool), {"arg.number": "1"})
    assert response.status_code == 422


def test_the_callers_application_is_tried_in_a_call(
    client_for: ClientFactory, admin: User, tool_factory: ToolFactory
) -> None:
    tool = tool_factory("open_page", kind="client", expects_response=True)
    assert "try it in a call" in html(client_for(admin).get(tool.get_absolute_url()))


def test_a_member_may_not_and_a_stranger_finds_nothing(
    client_for: ClientFactory,
    member: User,
    stranger: User,
    other_workspace: Organization,
    tool_factory: ToolFactory,
) -> None:
    tool: Any = tool_factory()
    assert client_for(member).post(url(tool)).status_code == 403
    assert client_for(stranger).post(url(tool)).status_code == 404
    assert client_for(stranger).post(reverse("tool_test", args=[other_workspace.slug, tool.pk])).status_code == 404


def test_a_service_that_is_not_there_is_told_in_one_sentence(
    client_for: ClientFactory, admin: User, tool_factory: ToolFactory, served: Callable[[Answer], None]
) -> None:
    def nowhere(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("There is no host named a.example.org.")

    served(nowhere)
    page = html(client_for(admin).post(url(tool_factory(url="https://a.example.org"))))
    assert "could not be reached: There is no host named a.example.org.</pre>" in page
    assert "No answer" in page
