"""Why a command about an account was refused, as the API says it to this caller (I4).

What is unique in the company is refused to who administers a branch in one way, whoever has it; pointers lead to
where the content names a company's own attribute; open work orders are told one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from sync.domain.access.admission import Admitted
from sync.domain.deactivation.gate import WorkOrdersOpen
from sync.domain.errors import SIMILAR, TAKEN, NotAllowed, NotFound, Outdated, Problem, Refused
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.problems import ApiProblem, Code, pointed

NOT_AVAILABLE: Final = "not-available"
WORK_ORDER: Final = "work-order-open"


@contextmanager
def refusals_told(by: Admitted, attributes: Collection[str] = ()) -> Iterator[None]:
    """Around a command. `attributes` are the company's own that the content names. Raises ApiProblem; what is not
    there, not allowed or outdated goes on as it is."""
    try:
        yield
    except (NotFound, NotAllowed, Outdated):
        raise
    except WorkOrdersOpen as refused:
        told = [pointed(replace(each, field="")) for each in refused.problems]
        orders = [{"code": WORK_ORDER, "reason": str(each)} for each in refused.work_orders]
        raise ApiProblem(Code.REFUSED, pointers=[*told, *orders]) from None
    except Refused as refused:
        everything = administered(by).everything
        raise ApiProblem(
            Code.REFUSED, errors=[_told(each, attributes, everything=everything) for each in refused.problems]
        ) from None


def _told(problem: Problem, attributes: Collection[str], *, everything: bool) -> Problem:
    if problem.code == TAKEN and not everything:
        return Problem(problem.field, "is not available", "choose another one", NOT_AVAILABLE)
    if problem.code == SIMILAR:
        return replace(problem, remedy="if it is not, send even_if_similar: true")
    if problem.field in attributes:
        key = problem.field.replace("~", "~0").replace("/", "~1")
        return replace(problem, field=f"attributes/{key}")
    return problem
