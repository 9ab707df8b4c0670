"""Tools from OpenAPI documents: what becomes of an operation, and what is said of those that cannot be tools."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization, User
from builder import documents
from builder.documents import NotUnderstood
from builder.models import Secret, Tool
from builder.tools.bind import BoundTool, ToolClients
from builder.tools.kinds import HttpConfig
from builder.tools.openapi import Operation, read_api
from core import http
from tests.builder.pages import html
from tests.conftest import ClientFactory
from tests.voice.fakes import FakeControl

SHOP = """
openapi: 3.1.0
info: {title: Corner Shop, version: "1"}
servers: [{url: "https://{region}.shop.example.org/v1/", variables: {region: {default: eu}}}]
security: [{key: []}]
paths:
  /orders/{number}:
    parameters:
      - {name: number, in: path, required: true, schema: {type: integer}, description: On the receipt}
    get:
      operationId: getOrder
      summary: Finds an order
      description: Use it when a caller asks where something is.
    patch:
      security: [{login: []}]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}
  /orders:
    get:
      operationId: find orders
      security: [{token: []}]
      parameters:
        - {name: state, in: query, schema: {type: array, items: {enum: [open, sent]}}}
        - {name: size, in: query, schema: {type: [string, "null"], enum: [small, large, null]}}
        - {name: ids, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: filter, in: query, style: deepObject, schema: {type: object}}
        - {name: Accept, in: header, schema: {type: string}}
    post:
      requestBody: {required: true, content: {multipart/form-data: {schema: {type: object}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Shop-Key}
    token: {type: oauth2, flows: {}}
    login: {type: http, scheme: basic}
  schemas:
    Person: {type: object, required: [name], properties: {name: {type: string, description: In full}}}
    Order:
      allOf:
        - {type: object, required: [buyer], properties: {id: {type: integer, readOnly: true}, channel: {const: phone}}}
        - type: object
          properties:
            buyer: {$ref: "#/components/schemas/Person"}
            before: {$ref: "#/components/schemas/Order"}
            lines: {type: array, items: {$ref: "#/components/schemas/Person"}}
            gift: {type: boolean}
"""


def operations(text: str = SHOP, **options: Any) -> dict[str, Operation]:
    return {one.key: one for one in read_api(documents.read(text), **options).operations}


def config(operation: Operation) -> HttpConfig:
    assert operation.tool, operation.problem
    return operation.tool.config


def changed(change: str, to: str) -> str:
    assert change in SHOP
    return SHOP.replace(change, to)


def small(**parts: Any) -> dict[str, Any]:
    return {"openapi": "3.0.0", "info": {"title": "T"}, "servers": [{"url": "https://a.example.org"}], **parts}


class TestOperations:
    def test_an_operation_is_a_tool_with_its_path_words_and_key(self) -> None:
        found = operations()["GET /orders/{number}"]
        assert found.tool is not None
        assert (found.tool.name, found.tool.description) == (
            "getOrder",
            "Finds an order\nUse it when a caller asks where something is.",
        )
        made = config(found)
        assert made.url == "https://eu.shop.example.org/v1/orders/{number}"
        (number,) = made.parameters
        assert (number.where, number.type, number.required, number.description) == (
            "path",
            "integer",
            True,
            "On the receipt",
        )
        assert [(one.name, one.value) for one in made.headers] == [("X-Shop-Key", "{{secret__corner_shop_key}}")]
        assert list(found.secrets) == ["corner_shop_key"] == list(made.secrets)

    def test_a_body_is_opened_and_what_holds_itself_is_cut(self) -> None:
        made = config(operations()["PATCH /orders/{number}"])
        values = {one.name: one for one in made.parameters}
        assert set(values) == {"number", "channel", "buyer.name", "before", "lines", "gift"}
        assert (values["buyer.name"].required, values["buyer.name"].description) == (True, "In full")
        assert (values["channel"].source, values["channel"].value) == ("constant", "phone")
        assert not values["gift"].required
        assert values["lines"].schema_for_model == {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "description": "In full"}},
            },
        }
        before = values["before"].schema_for_model["properties"]["before"]["properties"]["before"]
        assert before == {"type": "object"}
        assert made.auth.model_dump() == {"scheme": "basic", "user": "", "secret": "corner_shop_login"}

    def test_choices_lists_and_what_is_left_out_are_said(self) -> None:
        found = operations()["GET /orders"]
        state, size, ids = config(found).parameters
        assert state.schema_for_model == {"type": "array", "items": {"type": "string", "enum": ["open", "sent"]}}
        assert size.schema_for_model == {"type": "string", "enum": ["small", "large"]}
        assert (ids.type, ids.description) == ("string", "Several with commas between them.")
        assert found.notes == ("Without filter: tools do not write values in the style deepObject.",)
        assert config(found).auth.scheme == "bearer"
        assert found.tool
        assert found.tool.name == "find_orders"

    def test_what_cannot_be_a_tool_says_why(self) -> None:
        assert (
            operations()["POST /orders"].problem == "It needs its body, and tools send JSON, not multipart/form-data."
        )

    @pytest.mark.parametrize(
        ("change", "to", "said"),
        [
            ("type: http, scheme: basic", "type: mutualTLS", "mutualTLS"),
            ("#/components/schemas/Order", "#/components/schemas/Ordr", "leads nowhere"),
            ("#/components/schemas/Order", "orders.yaml#/Order", "another file, orders.yaml#/Order"),
            ("login: []", "nobody: []", "does not describe"),
        ],
    )
    def test_a_broken_operation_leaves_the_others(self, change: str, to: str, said: str) -> None:
        found = operations(changed(change, to))
        assert said in found["PATCH /orders/{number}"].problem
        assert found["GET /orders/{number}"].tool

    def test_a_document_without_an_address_takes_the_one_that_is_given(self) -> None:
        text = changed("https://{region}.shop.example.org/v1/", "/v1")
        assert "at which address" in operations(text)["GET /orders"].problem
        made = config(operations(text, found_at="https://shop.example.org/docs/openapi.yaml")["GET /orders"])
        assert made.url == "https://shop.example.org/v1/orders"

    def test_a_server_that_is_no_address_is_told_of_the_operations_that_it_has(self) -> None:
        elsewhere = "get:\n      servers: [{url: 'https://[tenant].example.org'}]\n      operationId: getOrder"
        found = operations(changed("get:\n      operationId: getOrder", elsewhere))
        assert "https://[tenant].example.org, which is no address" in found["GET /orders/{number}"].problem
        assert found["PATCH /orders/{number}"].tool

    def test_two_schemes_of_a_long_title_are_two_secrets(self) -> None:
        named = {"Session-Key": "X-Session", "Session Key": "X-Other", "Session": "X-Third"}
        schemes = {name: {"type": "apiKey", "in": "header", "name": header} for name, header in named.items()}
        paths: dict[str, Any] = {
            path: {"get": {"security": [{name: [] for name in names}]}}
            for path, names in {"/all": list(named), "/one": ["Session Key"]}.items()
        }
        title = "The public interface of the Corner Shop and of its suppliers"
        document = small(info={"title": title}, paths=paths, components={"securitySchemes": schemes})
        every, one = read_api(document).operations
        assert list(every.secrets) == [
            "the_public_interface_of_t_session_key",
            "the_public_interface_of_t_session_key_2",
            "the_public_interface_of_the_c_session",
        ]
        assert list(one.secrets) == list(every.secrets)[1:2]

    def test_alternatives_become_one_object_of_which_only_the_common_is_needed(self) -> None:
        cash = {"type": "object", "required": ["sum", "coins"], "properties": {"sum": {}, "coins": {"type": "integer"}}}
        card = {"type": "object", "required": ["sum", "card"], "properties": {"sum": {}, "card": {"type": "string"}}}
        body = {"content": {"application/json": {"schema": {"oneOf": [cash, card]}}}, "required": True}
        (found,) = read_api(small(paths={"/pay": {"post": {"requestBody": body}}})).operations
        assert {one.name: one.required for one in config(found).parameters} == {
            "sum": True,
            "coins": False,
            "card": False,
        }

    def test_names_are_told_apart(self) -> None:
        paths: dict[str, Any] = {f"/v{number}/orders": {"get": {}} for number in (1, 2, 3)}
        names = [one.tool.name for one in read_api(small(paths=paths)).operations if one.tool]
        assert names == ["get_orders", "get_orders_2", "get_orders_3"]

    def test_a_request_with_more_values_than_a_tool_has_keeps_those_that_are_needed(self) -> None:
        parameters = [
            {"name": f"p{number}", "in": "query", "required": number == 59, "schema": {"type": "string"}}
            for number in range(60)
        ]
        (found,) = read_api(small(paths={"/x": {"get": {"parameters": parameters}}})).operations
        assert len(config(found).parameters) == 40
        assert config(found).parameters[-1].name == "p59"
        assert "Without 20 values" in found.notes[0]

    def test_schemas_that_name_each_other_again_and_again_come_to_an_end(self) -> None:
        schemas = {
            f"S{number}": {"anyOf": [{"$ref": f"#/components/schemas/S{number + 1}"}] * 3} for number in range(30)
        } | {"S30": {"type": "string"}}
        body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}, "required": True}
        document = small(paths={"/x": {"post": {"requestBody": body}}}, components={"schemas": schemas})
        assert "too many parts" in read_api(document).operations[0].problem

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ("[]", "no OpenAPI document"),
            ('{"swagger": "2.0", "paths": {}}', "Swagger 2.0"),
            ('{"info": {}}', "no openapi with a version"),
            ('{"openapi": "3.1.0", "paths": {}}', "describes no paths"),
            ("openapi: 3.0.0\npaths: [", "no YAML in line"),
            ("", "nothing in it"),
            ('{"openapi": 3', "no JSON"),
        ],
    )
    def test_what_is_no_document_is_refused_in_words(self, document: str, said: str) -> None:
        with pytest.raises(NotUnderstood, match=said):
            read_api(documents.read(document))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "get post $ref parameters name in required schema requestBody content application/json type properties "
                "items allOf oneOf enum security servers url a".split()
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(paths=JSON, components=JSON)
def test_whatever_a_document_holds_is_read_or_refused(paths: Any, components: Any) -> None:
    try:
        api = read_api(small(paths=paths, components=components))
    except NotUnderstood:
        return
    assert all((one.tool is None) == bool(one.problem) for one in api.operations)


@pytest.mark.django_db
class TestPages:
    def bring(self, client: Any, workspace: Organization, **data: Any) -> str:
        response = client.post(reverse("tool_openapi", args=[workspace.slug]), {"pasted": SHOP, **data})
        assert response.status_code == 302, html(response)
        return str(response.headers["Location"])

    def test_chosen_operations_become_tools_with_the_secret_that_was_typed(
        self, client_for: ClientFactory, admin: User, workspace: Organization
    ) -> None:
        client = client_for(admin)
        choose = self.bring(client, workspace)
        page = html(client.get(choose))
        assert "Cannot be a tool. It needs its body" in page
        chosen = ["GET /orders/{number}", "GET /orders"]
        response = client.post(choose, {"operations": chosen, "secret.corner_shop_key": "sk-very-secret"}, follow=True)
        assert "2 tools are there. Enter corner_shop_token under Secrets" in html(response)
        assert {tool.name for tool in Tool.objects.all()} == {"getOrder", "find_orders"}
        assert Secret.objects.get().name == "corner_shop_key"
        assert Secret.objects.get().value == "sk-very-secret"

    async def test_such_a_tool_asks_the_service_as_its_document_says(self) -> None:
        asked: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(200, json={"ok": True})

        operation = operations()["PATCH /orders/{number}"]
        bound = BoundTool("change", "", config(operation), {"corner_shop_login": "pass-word"})
        clients = ToolClients()
        await clients.http.aclose()
        clients.http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        (tool,) = bound.tools(clients)
        arguments = {"number": 7, "buyer_name": "Ann", "lines": [{"name": "Tea"}]}
        await tool.run(arguments, FakeControl())
        await clients.close()
        (request,) = asked
        assert (request.method, str(request.url)) == ("PATCH", "https://eu.shop.example.org/v1/orders/7")
        assert json.loads(request.content) == {"channel": "phone", "buyer": {"name": "Ann"}, "lines": [{"name": "Tea"}]}
        assert request.headers["Authorization"].startswith("Basic ")

    def test_a_file_is_taken_as_well(self, client_for: ClientFactory, admin: User, workspace: Organization) -> None:
        client = client_for(admin)
        file = SimpleUploadedFile("shop.yaml", SHOP.encode())
        assert "GET /orders/{number}" in html(client.get(self.bring(client, workspace, file=file, pasted="")))

    def test_an_address_is_fetched(
        self,
        client_for: ClientFactory,
        admin: User,
        workspace: Organization,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def client_of(**options: Any) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, text=SHOP)))

        monkeypatch.setattr(http, "client", client_of)
        client = client_for(admin)
        choose = self.bring(client, workspace, pasted="", url="https://shop.example.org/openapi.yaml")
        assert "Corner Shop" in html(client.get(choose))

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (httpx.Response(404), "status 404"),
            (httpx.Response(302, headers={"Location": "https://login.example.org"}), "https://login.example.org"),
            (httpx.Response(200, html="<html>"), "web page"),
            (httpx.Response(200, content=b"\xff\xfe\x00"), "no text"),
        ],
    )
    def test_what_is_no_document_there_is_said(
        self,
        answer: httpx.Response,
        said: str,
        client_for: ClientFactory,
        admin: User,
        workspace: Organization,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        transport = httpx.MockTransport(lambda request: answer)
        monkeypatch.setattr(http, "client", lambda **options: httpx.Client(transport=transport))
        page = reverse("tool_openapi", args=[workspace.slug])
        response = client_for(admin).post(page, {"url": "https://shop.example.org/x"})
        assert response.status_code == 422
        assert said in html(response)

    def test_a_private_address_is_not_fetched(
        self, client_for: ClientFactory, admin: User, workspace: Organization
    ) -> None:
        page = reverse("tool_openapi", args=[workspace.slug])
        response = client_for(admin).post(page, {"url": "http://10.0.0.1/openapi.json"})
        assert response.status_code == 422
        assert "could not be fetched" in html(response)

    def test_a_document_is_nobody_elses(
        self, client_for: ClientFactory, admin: User, owner: User, workspace: Organization
    ) -> None:
        choose = self.bring(client_for(admin), workspace)
        response = client_for(owner).get(choose)
        assert response.headers["Location"] == reverse("tool_openapi", args=[workspace.slug])

    def test_members_do_not_make_tools(self, client_for: ClientFactory, member: User, workspace: Organization) -> None:
        assert client_for(member).get(reverse("tool_openapi", args=[workspace.slug])).status_code == 403
