"""Realm as code (C8): what the realm must hold, what differs from it, and in which order it is mended.

Pure. `wanted` says what must be there, `difference` compares, `check` looks for ways around the second
factor; reading and writing the realm is the adapter's work.
"""
