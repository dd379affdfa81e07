"""The web process: health checks, and the page on which a person sees the own account (I5)."""

from sync.entrypoints.web.app import create_app

__all__ = ["create_app"]
