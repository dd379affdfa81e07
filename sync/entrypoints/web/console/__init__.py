"""Pages for people: logging in through Keycloak, and the page of the own account (I5)."""
