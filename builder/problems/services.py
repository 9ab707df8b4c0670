"""The services that recognise, answer and speak."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from builder import vendors
from builder.compile import default_model
from builder.config import LOCAL
from builder.problems.model import Problem, error, warning
from builder.problems.subject import Chosen, Subject
from voice.spec import Model


def a_connection_does_not_do_it(subject: Subject) -> Iterator[Problem]:
    for chosen in subject.chosen:
        connection = subject.connections.get(chosen.source.connection)
        if connection is None:
            continue
        roles = vendors.ANSWERS if (chosen.role, chosen.number) == ("llm", 0) else (chosen.role,)
        if not any(vendors.has_role(connection.vendor, role) for role in roles):
            what = vendors.ROLES[chosen.role].lower()
            yield error(f"{connection.name} does not offer {what}.", "Choose another one.", *chosen.place, "connection")


def a_key_is_missing(subject: Subject) -> Iterator[Problem]:
    places = [(chosen.source.connection, (*chosen.place, "connection"), "") for chosen in subject.chosen]
    for number, step in enumerate(subject.config.flow.steps if subject.config.flow else ()):
        if step.kind == "sms":
            places.append((step.connection, ("flow", "steps", number, "connection"), step.id))
    for key, place, step_id in places:
        connection = subject.connections.get(key)
        known = vendors.vendors().get(connection.vendor) if connection else None
        if connection and known and known.needs_key and not connection.api_key:
            message = f"{connection.name} has no key, and answers nobody without one."
            yield error(message, "Enter its key under Connections.", *place, step=step_id)


def a_model_is_not_named(subject: Subject) -> Iterator[Problem]:
    for chosen in subject.chain("llm"):
        connection = subject.connections.get(chosen.source.connection)
        if connection is None or not vendors.has_role(connection.vendor, "llm"):
            continue
        if not (chosen.source.model or default_model(connection, "llm")):
            field = "name" if chosen.number == 0 else "model"
            yield error(
                f"Which language model of {connection.name} answers is not said.",
                "Write its name.",
                *chosen.place,
                field,
            )


def a_voice_is_not_chosen(subject: Subject) -> Iterator[Problem]:
    for source, place in subject.voices:
        connection = subject.connections.get(source.connection)
        if connection and connection.vendor == vendors.COMPATIBLE and not source.id:
            yield error(f"Which voice of {connection.name} speaks is not said.", "Choose one.", *place, "id")


def the_local_model_is_off(subject: Subject) -> Iterator[Problem]:
    if settings.LLM != "none":
        return
    chain = subject.chain("llm")
    if chain[0].source.connection != LOCAL:
        return
    if all(chosen.source.connection == LOCAL for chosen in chain):
        yield error(
            "This installation runs without its local language model.",
            "Choose a connection.",
            "model",
            "connection",
        )
    else:
        yield warning(
            "This installation runs without its local language model: the one behind it answers.",
            "Choose that one in its place.",
            "model",
            "connection",
        )


def a_fallback_is_the_same(subject: Subject) -> Iterator[Problem]:
    for role in ("stt", "tts", "llm"):
        seen: set[tuple[str, str]] = set()
        for chosen in subject.chain(role):
            service = _resolved(subject, chosen)
            if service in seen:
                yield warning(
                    "What stands behind the first choice is the same service once more: it fails together with it.",
                    "Choose another one, or take it out.",
                    *chosen.place,
                    "connection",
                )
            seen.add(service)


def _resolved(subject: Subject, chosen: Chosen) -> tuple[str, str]:
    """The connection, and the model that is really asked there."""
    source = chosen.source
    connection = subject.connections.get(source.connection)
    if connection is None:
        return source.connection, ""
    model = "" if source.model == Model().name else source.model
    return source.connection, model or default_model(connection, chosen.role)
