"""The only places where adapters meet the rest: `doors` makes a Desk, `workers` makes Systems, `realm` a realm.

Nothing connects here; each adapter connects at its first use, in the process that uses it (after the fork).
"""
