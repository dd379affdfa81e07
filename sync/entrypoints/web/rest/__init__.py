"""The REST API under /api/v1: its resources, and what they share; its document is at /api/v1/openapi.json."""
