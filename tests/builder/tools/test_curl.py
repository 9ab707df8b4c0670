"""Tools from curl commands: read and never run; what cannot be kept is refused in words."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Organization, User
from builder.models import Secret, Tool
from builder.tools.curl import NotUnderstood, from_curl
from builder.tools.kinds import HttpConfig
from tests.builder.pages import html
from tests.builder.tools.conftest import SecretFactory
from tests.conftest import ClientFactory

COMMAND = """curl -sS -X POST 'https://api.example.com/v1/bookings?channel=phone' \\
  -H 'Authorization: Bearer sk-very-secret' \\
  -H 'X-Api-Key: another-secret' -H 'Content-Type: application/json' -H 'X-Region: eu' \\
  -d '{"party": {"size": 4, "name": "Ann"}, "outside": true, "tags": ["a", "b"]}'
"""


def test_all_of_a_command_is_kept() -> None:
    imported = from_curl(COMMAND)
    config = imported.config
    assert (imported.name, config.method, config.url) == (
        "post_bookings",
        "POST",
        "https://api.example.com/v1/bookings",
    )
    assert [(one.where, one.name, one.type, one.value) for one in config.parameters] == [
        ("query", "channel", "string", "phone"),
        ("body", "party.size", "integer", "4"),
        ("body", "party.name", "string", "Ann"),
        ("body", "outside", "boolean", "true"),
        ("body", "tags", "strings", "a, b"),
    ]
    assert config.auth.scheme == "bearer"
    assert {one.name for one in config.headers} == {"X-Api-Key", "X-Region"}
    assert sorted(imported.secrets.values()) == ["another-secret", "sk-very-secret"]
    assert config.secrets == set(imported.secrets)
    assert "secret" not in config.model_dump_json().replace("secret__", "").replace('"secret":', "")


def test_a_user_with_a_password_is_basic_authentication() -> None:
    imported = from_curl("curl -u ann:pass-word api.example.com/me")
    assert (imported.config.auth.scheme, imported.config.auth.user) == ("basic", "ann")
    assert list(imported.secrets.values()) == ["pass-word"]
    assert imported.config.method == "GET"


def test_two_keys_of_a_long_path_are_two_secrets() -> None:
    imported = from_curl(
        "curl https://api.example.com/customer-relationship-management/appointment-bookings"
        " -H 'X-Api-Key: AAAA' -H 'X-Api-Secret: BBBB' -H 'X_Api_Key: CCCC'"
    )
    sent = [one.value.removeprefix("{{secret__").removesuffix("}}") for one in imported.config.headers]
    assert [imported.secrets[name] for name in sent] == ["AAAA", "BBBB", "CCCC"]
    assert sent == [
        "get_customer_relationship_m_x_api_key",
        "get_customer_relationshi_x_api_secret",
        "get_customer_relationship_m_x_api_key_2",
    ]


def test_data_may_belong_into_the_address() -> None:
    config = from_curl("curl -G https://api.example.com/find -d q=pizza").config
    assert (config.method, config.parameters[0].where, config.parameters[0].value) == ("GET", "query", "pizza")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("wget https://a.example.com", "begins with curl"),
        ("curl 'https://a.example.com", "quotation mark"),
        ("curl -X", "has no value"),
        ("curl -s", "no address"),
        ("curl https://a.example.com https://b.example.com", "two addresses"),
        ("curl https://a.example.com -d a=b", "no JSON"),
        ("curl https://a.example.com -d @/etc/passwd", "no JSON"),
        ("curl https://a.example.com -F file=@x", "option -F is not understood"),
        ("curl https://[your-instance].example.com/x", r"\[your-instance\].* is no address"),
        ("curl https://a.example.com -d '" + '{"a":' * 3_000 + "1" + "}" * 3_000 + "'", "nested too deeply"),
        ("curl https://a.example.com; rm -rf /", "not understood|two addresses"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(command: str, said: str) -> None:
    with pytest.raises(NotUnderstood, match=said):
        from_curl(command)


@pytest.mark.django_db
class TestPage:
    def test_an_admin_makes_a_tool_whose_keys_are_secrets(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        secret_factory("post_bookings_token", "somebody else's")
        url = reverse("tool_import", args=[workspace.slug])
        page = html(client_for(admin).post(url, {"command": COMMAND}, follow=True))
        made = Tool.objects.get()
        config = made.parsed_config
        assert isinstance(config, HttpConfig)
        assert config.auth.secret == "post_bookings_token_2"
        assert Secret.objects.get(name="post_bookings_token_2").value == "sk-very-secret"
        assert Secret.objects.get(name="post_bookings_token").value == "somebody else's"
        assert config.secrets <= set(Secret.objects.values_list("name", flat=True))
        audited = str([entry.changes for entry in AuditEntry.objects.all()])
        for secret in ("sk-very-secret", "another-secret"):
            assert secret not in page + audited + str(made.config)

    def test_two_keys_stay_two_where_the_name_of_one_is_taken(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        secret_factory("get_orders_key", "somebody else's")
        command = "curl https://api.example.com/orders -H 'Key: AAAA' -H '.Key: BBBB'"
        client_for(admin).post(reverse("tool_import", args=[workspace.slug]), {"command": command})
        config = Tool.objects.get().parsed_config
        assert isinstance(config, HttpConfig)
        values = {f"{{{{secret__{one.name}}}}}": one.value for one in Secret.objects.all()}
        assert [values[one.value] for one in config.headers] == ["AAAA", "BBBB"]
        assert sorted(values.values()) == ["AAAA", "BBBB", "somebody else's"]

    def test_what_is_wrong_stands_on_the_page(
        self, client_for: ClientFactory, admin: User, workspace: Organization
    ) -> None:
        url = reverse("tool_import", args=[workspace.slug])
        for command in (
            "wget https://a.example.com",
            "curl -X TRACE https://a.example.com",
            "curl https://[your-instance].example.com/x",
        ):
            response = client_for(admin).post(url, {"command": command})
            assert response.status_code == 422
        assert not Tool.objects.exists()

    def test_a_member_may_not(self, client_for: ClientFactory, member: User, workspace: Organization) -> None:
        assert client_for(member).get(reverse("tool_import", args=[workspace.slug])).status_code == 403
