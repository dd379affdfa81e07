"""Login flows: a tree built step by step, and read back into the same tree."""

from __future__ import annotations

from collections.abc import Iterator

from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.domain.realm.difference import Update
from sync.domain.realm.flow import Flow, Requirement, Step, SubFlow, binding_of
from sync.domain.realm.item import Item, ItemKind

NAMES_A_FLOW = "flow_to_check"


class Flows:
    """Our top-level flows. A flow that was built half way, or that somebody changed, reads as another tree."""

    kinds = frozenset({ItemKind.FLOW})

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Iterator[Item]:
        for flow in self._connection.get("authentication/flows"):
            if binding_of(flow["alias"]) is not None:
                yield Item(ItemKind.FLOW, flow["alias"], {"flow": self._tree(flow["alias"])})

    def create(self, item: Item) -> None:
        flow = item.fields["flow"]
        if not isinstance(flow, Flow):
            raise TypeError(f"{item} has no tree")
        top = self._connection.create(
            "authentication/flows",
            {
                "alias": item.name,
                "description": "Made by fsm-identity from its mapping files; changes here are undone",
                "providerId": "basic-flow",
                "topLevel": True,
                "builtIn": False,
            },
        )
        self._build(item.name, item.name, top, flow.steps)

    def update(self, update: Update) -> None:
        raise TypeError(f"{update.name} is never changed in place: another tree gets another name")

    def remove(self, item: Item) -> None:
        for flow in self._connection.get("authentication/flows"):
            if flow["alias"] == item.name:
                self._connection.delete(f"authentication/flows/{flow['id']}")

    def _build(self, top: str, alias: str, flow_id: str, steps: tuple[Step | SubFlow, ...]) -> None:
        for position, step in enumerate(steps):
            if isinstance(step, Step):
                self._add_step(top, f"{alias} {position}", flow_id, step, position)
            else:
                self._add_sub_flow(top, alias, step, position)

    def _add_step(self, top: str, config_name: str, flow_id: str, step: Step, position: int) -> None:
        execution = self._connection.create(
            "authentication/executions",
            {
                "parentFlow": flow_id,
                "authenticator": step.provider,
                "requirement": step.requirement.value,
                "priority": position,
            },
        )
        if step.config:
            config = {
                key: f"{top} {value}" if key == NAMES_A_FLOW else value for key, value in step.config.items()
            }
            self._connection.post(
                f"authentication/executions/{execution}/config", {"alias": config_name, "config": config}
            )

    def _add_sub_flow(self, top: str, parent: str, sub_flow: SubFlow, position: int) -> None:
        alias = f"{top} {sub_flow.name}"
        path = f"authentication/flows/{segment(parent)}/executions"
        flow_id = self._connection.create(
            f"{path}/flow",
            {"alias": alias, "type": "basic-flow", "provider": "registration-page-form", "priority": position},
        )
        self._build(top, alias, flow_id, sub_flow.steps)
        execution = next(each for each in self._connection.get(path) if each.get("flowId") == flow_id)
        wanted = {"requirement": sub_flow.requirement.value, "priority": position}
        self._connection.put(path, {"id": execution["id"], **wanted})

    def _tree(self, alias: str) -> Flow:
        executions = self._connection.get(f"authentication/flows/{segment(alias)}/executions")
        return Flow(self._steps(alias, executions, 0))

    def _steps(self, top: str, executions: list[Json], level: int) -> tuple[Step | SubFlow, ...]:
        """Keycloak answers the tree as one list in order of running, each entry with its depth."""
        steps: list[Step | SubFlow] = []
        for index, execution in enumerate(executions):
            if execution["level"] < level:
                break
            if execution["level"] > level:
                continue
            requirement = Requirement(execution["requirement"])
            if execution.get("authenticationFlow"):
                name = execution["displayName"].removeprefix(f"{top} ")
                steps.append(SubFlow(name, requirement, self._steps(top, executions[index + 1 :], level + 1)))
            else:
                steps.append(Step(execution["providerId"], requirement, self._config(top, execution)))
        return tuple(steps)

    def _config(self, top: str, execution: Json) -> dict[str, str]:
        if not execution.get("authenticationConfig"):
            return {}
        config = self._connection.get(f"authentication/config/{execution['authenticationConfig']}")["config"]
        return {
            key: value.removeprefix(f"{top} ") if key == NAMES_A_FLOW else value for key, value in config.items()
        }
