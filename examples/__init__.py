"""The example company: invented people, their staff files and the work in their FSM database.

The demo and its tests name a few of them; everybody else is in `examples.company`.
"""

ADMINISTRATOR = "birgit.ahlers@nordwind.example.com"
"""The e-mail address of an administrator."""

BUSY_TECHNICIAN = "T-0003"
"""Has open work orders as lead, in a crew and by appointment: cannot simply be deactivated."""

FREE_TECHNICIAN = "T-0004"
"""Of the same team, has no open work order: can take over those of the busy one."""

UNLINKED_TECHNICIAN = "T-0110"
"""Has an account in the staff file, but the file does not say that the two belong together."""
