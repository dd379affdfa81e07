"""The real services that a stack starts, each from a package: Keycloak on its Java, PostgreSQL, Redis, mail."""
