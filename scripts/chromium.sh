#!/bin/sh
# The browser tests drive Debian's Chromium (Playwright's own download has no build for every Debian). Installs it when it is absent and we may.
command -v chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
if command -v apt-get >/dev/null 2>&1 && $sudo true 2>/dev/null; then
    echo "callwright: Installing Chromium for the browser tests." >&2
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq && $sudo apt-get install -qq -y --no-install-recommends chromium >/dev/null && exit 0
fi
echo "callwright: NO CHROMIUM: the browser tests will be SKIPPED. Install it (Debian: apt-get install chromium), then run this again." >&2
