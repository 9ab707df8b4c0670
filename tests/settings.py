"""The settings that tests run on: the real ones, with all state in a directory that is thrown away."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="callwright-test-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["CALLWRIGHT_HOME"] = _home
for name in ("HOST", "PORT", "SITE_URL", "REDIS_URL", "LLM", "DEBUG"):
    os.environ.pop(name, None)

from config.settings import *  # noqa: E402, F403

if "sqlite3" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    # A file, as in production: threads do not share a database in memory without getting into each other's way.
    DATABASES["default"]["TEST"] = {"NAME": f"{_home}/test.sqlite3"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
