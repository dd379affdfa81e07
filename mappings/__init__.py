"""Who gets what: profiles, branches, data access, HR rules and the realm's policy, as files people edit.

`load` reads and checks them; everything else of this package is what it returns.
"""

from mappings.files.problems import MappingErrors, MappingProblem
from mappings.loading import load
from mappings.policy import Policy

__all__ = ["MappingErrors", "MappingProblem", "Policy", "load"]
