"""`python -m tests.docs.state_diagrams`: docs/state-diagrams.md, drawn from the tables by which the engines move.

Each machine twice: as a list that needs no tool to be read, and as a Mermaid picture of the same rows.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from ipsecsim.ike.v2 import states

PATH = Path(__file__).parents[2] / "docs" / "state-diagrams.md"

Transitions = Mapping[tuple[Enum, Enum], Enum]

MACHINES: dict[str, tuple[str, Transitions]] = {
    "An IKE SA of version 2": (
        "Both roles in one table: an initiator goes by way of *IKE_SA_INIT sent*, a responder by way of\n"
        "*IKE_SA_INIT answered*, and an IKE SA that replaces another one stands at once (RFC 7296 1.2, 1.3.2,\n"
        "1.4.1, 2.8). The rows are `TRANSITIONS` in `ipsecsim/ike/v2/states.py`; a step without a row is a\n"
        "message out of place.",
        states.TRANSITIONS,
    ),
}
"""Title -> what a reader should know, and the rows."""

HEAD = """# State diagrams

Made by `make diagrams` from the tables by which the engines move; change those, not this file. A test draws them
again and compares.
"""


def text() -> str:
    """The whole file. The same tables always make the same text."""
    parts = [HEAD]
    for title, (about, transitions) in MACHINES.items():
        parts += [f"## {title}\n", f"{about}\n", _listed(transitions), _drawn(transitions)]
    return "\n".join(parts)


def _listed(transitions: Transitions) -> str:
    """Each state with the steps that lead out of it."""
    lines = ["```text"]
    width = max(len(str(step.value)) for _, step in transitions) + 2
    for state in dict.fromkeys(before for before, _ in transitions):
        lines.append(str(state.value))
        for (before, step), after in transitions.items():
            if before is state:
                lines.append(f"    {str(step.value) + ' ':-<{width}}> {after.value}")
    return "\n".join([*lines, "```\n"])


def _drawn(transitions: Transitions) -> str:
    """The same rows as a picture; it begins where no row leads to, and ends where none leads out."""
    befores, afters = {before for before, _ in transitions}, set(transitions.values())
    every = dict.fromkeys([*(before for before, _ in transitions), *transitions.values()])
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {state.name}' for state in every]
    lines += [f"    [*] --> {state.name}" for state in every if state not in afters]
    for (before, step), after in transitions.items():
        lines.append(f"    {before.name} --> {after.name}: {step.value}")
    lines += [f"    {state.name} --> [*]" for state in every if state not in befores]
    return "\n".join([*lines, "```\n"])


def main() -> None:
    """Write the file."""
    PATH.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
