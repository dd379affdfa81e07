"""The REST API under /api/v1, a module a resource; its OpenAPI document is at /api/v1/openapi.json."""
