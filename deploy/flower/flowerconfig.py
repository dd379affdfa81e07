"""Flower's own settings: nobody sees the queues without the login in the secret FLOWER_LOGIN (user:password)."""

from __future__ import annotations

import os
from pathlib import Path

port = 5555
basic_auth = [(Path(os.environ["FSM_SECRETS_DIR"]) / "FLOWER_LOGIN").read_text(encoding="utf-8").strip()]
persistent = False
