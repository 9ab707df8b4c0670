from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
import structlog

from config.logs import logging_config


def formatted(style: str, record: logging.LogRecord) -> str:
    options: dict[str, Any] = logging_config(style, "INFO")["formatters"]["structured"]
    return structlog.stdlib.ProcessorFormatter(
        **{name: value for name, value in options.items() if name != "()"}
    ).format(record)


def record_of_an_error() -> logging.LogRecord:
    password = "hunter2-in-a-local-variable"  # noqa: F841
    try:
        raise ValueError("went wrong")
    except ValueError:
        return logging.LogRecord("builder.views", logging.ERROR, __file__, 1, "saving %s", ("agent_1",), sys.exc_info())


def test_a_line_is_json_with_the_request_it_is_about() -> None:
    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        line = json.loads(formatted("json", record_of_an_error()))
    assert line["event"] == "saving agent_1"
    assert line["request_id"] == "req_1"
    assert (line["level"], line["logger"]) == ("error", "builder.views")
    assert line["timestamp"].endswith("Z")
    assert line["exception"][0]["exc_type"] == "ValueError"


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_shows_no_local_variables(style: str) -> None:
    line = formatted(style, record_of_an_error())
    assert "went wrong" in line
    assert "hunter2-in-a-local-variable" not in line.replace('password = "hunter2-in-a-local-variable"', "")


def test_libraries_that_log_every_request_are_quiet() -> None:
    config = logging_config("console", "DEBUG")
    assert config["root"]["level"] == "DEBUG"
    assert {config["loggers"][name]["level"] for name in ("httpx", "httpcore", "daphne")} == {"WARNING"}
