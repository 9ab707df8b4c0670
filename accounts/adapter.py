"""How allauth behaves here."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: the first owner comes by the set-up page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
