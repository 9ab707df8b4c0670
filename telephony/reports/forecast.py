"""What an agent's next calls are expected to cost, from the calls that it had."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from billing.forecast import Answering, Forecast, PastCall, forecast
from billing.plans.selectors import entitlements
from billing.reports.whatif import Model, Role, amount
from billing.selectors import LOCAL, PriceBook, price_book
from billing.usage.meters import AGENT_SECONDS, TELEPHONY_SECONDS
from billing.usage.models import UsageEvent
from builder.compile import AgentNotReady, CompiledAgent, Service, compile_config
from builder.config import AgentConfig
from builder.models import Agent
from telephony.models import Call

CALLS_READ = 300
ANSWERS_READ = timedelta(days=90)
PUBLISHED_FOR = 100
"""Versions are compared over so many calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionForecast:
    """PUBLISHED_FOR calls with the draft, and with the live version; None where there is none, or it cannot be told."""

    draft: Forecast
    live: Forecast | None

    @property
    def change(self) -> int | None:
        """Of the median, in micro-dollars."""
        return None if self.live is None else self.draft.amount.p50 - self.live.amount.p50


def batch_forecast(agent: Agent, *, recipients: int) -> Forecast:
    """What calling so many people with the live version is expected to cost; with the draft, where nothing is live."""
    config = agent.live_version.parsed_config if agent.live_version else agent.draft_config
    return _History(agent).forecast(config, calls=recipients, answering=_answering(agent))


def publish_forecast(agent: Agent) -> VersionForecast:
    """How the cost of the draft compares with that of the live version, on the same past calls."""
    history = _History(agent)
    live = agent.live_version
    return VersionForecast(
        draft=history.forecast(agent.draft_config, calls=PUBLISHED_FOR),
        live=history.forecast(live.parsed_config, calls=PUBLISHED_FOR) if live else None,
    )


def _answering(agent: Agent) -> Answering:
    recent = Call.objects.filter(
        agent=agent,
        direction=Call.Direction.OUTBOUND,
        state=Call.State.ENDED,
        started_at__gte=timezone.now() - ANSWERS_READ,
    )
    found = recent.aggregate(
        answered=Count("pk", filter=Q(duration_ms__gt=0)), unanswered=Count("pk", filter=Q(duration_ms=0))
    )
    return Answering(**found)


class _History:
    """The last calls of an agent with what they used, to be priced in one way or another."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._book: PriceBook = price_book(agent.organization)
        terms = entitlements(agent.organization).plan_version
        self._rates = {AGENT_SECONDS: terms.agent_minute, TELEPHONY_SECONDS: terms.telephony_minute}
        facts = UsageEvent.objects.filter(organization=agent.organization, agent_id=agent.pk)
        last = facts.filter(meter=AGENT_SECONDS).order_by("-occurred_at").values_list("call_id", flat=True)[:CALLS_READ]
        self._calls: dict[str, list[UsageEvent]] = defaultdict(list)
        for fact in facts.filter(call_id__in=list(last)):
            self._calls[fact.call_id].append(fact)

    def forecast(self, config: AgentConfig, *, calls: int, answering: Answering | None = None) -> Forecast:
        models = self._models(config)
        past = [self._past(facts, models) for facts in self._calls.values()]
        return forecast(past, calls=calls, minute_rate=self._minute_rate(past), answering=answering)

    def _minute_rate(self, past: list[PastCall]) -> int:
        """What a minute of a call that nobody has seen costs: as the past ones, or the platform's rate alone."""
        seconds = sum(call.seconds for call in past)
        return round(60 * sum(call.amount for call in past) / seconds) if seconds else self._rates[AGENT_SECONDS]

    def _past(self, facts: list[UsageEvent], models: dict[Role, Model]) -> PastCall:
        seconds = sum(fact.quantity for fact in facts if fact.meter == AGENT_SECONDS)
        return PastCall(seconds, sum(self._cost(fact, models) for fact in facts))

    def _cost(self, fact: UsageEvent, models: dict[Role, Model]) -> int:
        """At present prices. What has no price adds nothing."""
        if fact.meter in self._rates:
            return round(fact.quantity * self._rates[fact.meter] / 60)
        used = (fact.vendor, fact.model)
        model = models.get(fact.capability, used)  # type: ignore[call-overload]
        return amount(fact.meter, fact.quantity, model, self._book.price_of) or 0

    def _models(self, config: AgentConfig) -> dict[Role, Model]:
        """What the config would have used in each role; nothing where it cannot take calls."""
        try:
            compiled = compile_config(self._agent, config)
        except AgentNotReady:
            return {}
        return {role: _model(service) for role, service in _first_choices(compiled).items()}


def _first_choices(compiled: CompiledAgent) -> dict[Role, Service]:
    """Of each chain the one that works as long as nothing fails. Speech-to-speech models are measured by themselves."""
    if compiled.answering is not None and compiled.answering.role == "realtime":
        return {}
    found: dict[Role, Service] = {"stt": compiled.hearing[0], "tts": compiled.voices[0][0]}
    if compiled.models:
        found["llm"] = compiled.models[0][0]
    return found


def _model(service: Service) -> Model:
    return (LOCAL, "") if service.access is None else (service.access.vendor, service.model)
