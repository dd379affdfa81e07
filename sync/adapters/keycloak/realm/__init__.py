"""Reading the realm and bringing it to a wanted state: one module a part of the realm, `keycloak_realm` puts
them together."""
