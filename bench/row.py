"""A line of the report: what was measured, against what, and whether it reached what it should."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`ours`, `against` and `reach` as people read them. `reached` None: nothing was demanded of it."""

    measure: str
    ours: str
    against: str
    ratio: str
    reach: str = ""
    reached: bool | None = None

    def __str__(self) -> str:
        verdict = {None: "", True: "yes", False: "**no**"}[self.reached]
        return f"| {self.measure} | {self.ours} | {self.against} | {self.ratio} | {self.reach} | {verdict} |"


HEAD = "| measure | ours | against | ratio or difference | to reach | reached |\n|---|---|---|---|---|---|"
