"""The engines that ours is compared with: exact versions, and a virtual environment for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENTS = Path(os.environ.get("CALLWRIGHT_HOME") or ROOT / "var").expanduser().resolve() / "bench"


class CannotInstall(Exception):
    """A peer could not be installed; the reason was printed by the installer."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    name: str
    packages: tuple[str, ...]
    megabytes: int
    """What its environment takes on the disk."""
    calls: tuple[int, ...]
    """How many calls it is tried with, in order, until it breaks."""

    @property
    def python(self) -> Path:
        return ENVIRONMENTS / self.name / "bin" / "python"


PEERS = (
    Peer(name="pipecat", packages=("pipecat-ai==1.14.0",), megabytes=530, calls=(5, 10, 15, 20, 25)),
    Peer(name="livekit", packages=("livekit-agents==1.8.9",), megabytes=400, calls=(10, 25, 35, 50, 65)),
)
"""The newest versions of November 2026."""


def install(peer: Peer) -> None:
    """Have the peer's environment ready; it is kept for later runs. Raises CannotInstall."""
    environment = ENVIRONMENTS / peer.name
    stamp = environment / "installed"
    wanted = "\n".join(peer.packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {', '.join(peer.packages)} into {environment} (about {peer.megabytes} MB).", file=sys.stderr)
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)]
        fill = [uv, "pip", "install", "--python", str(peer.python), *peer.packages]
    else:
        make = [sys.executable, "-m", "venv", "--clear", str(environment)]
        fill = [str(peer.python), "-m", "pip", "install", "--disable-pip-version-check", *peer.packages]
    for command in (make, fill):
        if subprocess.call(command, stdout=sys.stderr) != 0:
            raise CannotInstall(f"{peer.name} could not be installed, for the reason above.")
    stamp.write_text(wanted)
