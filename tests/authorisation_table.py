"""docs/authorisation.md, made from the table that the API asks.

`python -m tests.authorisation_table` writes it; a test compares it with the table.
"""

from __future__ import annotations

from pathlib import Path

from sync.entrypoints.web.rest.roles import MEANS, ROUTES, Role

PAGE = Path(__file__).parents[1] / "docs" / "authorisation.md"

HEAD = """\
# Who may call what

Made from `sync/entrypoints/web/rest/roles.py` by `python -m tests.authorisation_table`; change it there. The API
asks this table before anything else, and a route that is not in it answers nobody. Within a route the scope of the
caller decides once more: an account outside of it is as one that does not exist, and nobody gives more than they
have ([rules.md](rules.md#never-above-your-own)).
"""


def page() -> str:
    """The whole page."""
    roles = [f"| {role} | {meaning} |" for role, meaning in MEANS.items()]
    columns = [role for role in Role if any(role in allowed for allowed in ROUTES.values())]
    routes = [
        f"| `{method} {path}` | " + " | ".join("yes" if role in allowed else "" for role in columns) + " |"
        for (method, path), allowed in ROUTES.items()
    ]
    return "\n".join(
        [
            HEAD,
            "| role | is |",
            "|---|---|",
            *roles,
            "",
            "| route | " + " | ".join(columns) + " |",
            "|---" * (len(columns) + 1) + "|",
            *routes,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
