"""Benchmarks: each measures ours and its baseline in the same run, on the same Keycloak, and reports a ratio."""
