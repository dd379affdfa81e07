"""Celery's settings for Flower: the broker of the workers, and nothing else of theirs.

Flower watches; it gets no database, no Keycloak and no field service.
"""

from __future__ import annotations

import os
from pathlib import Path

broker_url = (Path(os.environ["FSM_SECRETS_DIR"]) / "FSM_REDIS_URL").read_text(encoding="utf-8").strip()
broker_transport_options = {"global_keyprefix": "fsm:"}  # as in celeryconfig.py, or Flower sees nobody
accept_content = ["json"]
