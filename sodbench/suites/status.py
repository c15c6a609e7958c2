"""How far a suite is: its rows by its data sets, one state in each place."""

from sodbench.suites.plan import TRAINING, Plan, Step
from sodbench.text import columns


def status_lines(plan: Plan) -> list[str]:
    """One line per row of the suite, one column per data set, then a summary."""
    states: dict[str, dict[str | None, str]] = {}
    for step in plan.steps:
        states.setdefault(step.method, {})[step.dataset] = _state(step)
    trained = any(step.dataset is None for step in plan.steps)
    places: list[str | None] = [*([None] if trained else []), *plan.suite.datasets]
    rows = [["method", *(place or TRAINING for place in places)]]
    rows += [[name, *(found.get(place, "") for place in places)] for name, found in states.items()]
    return [*columns(rows), "", plan.summary()]


def _state(step: Step) -> str:
    if step.state == "to do" and step.changed:
        return "changed"
    return step.state
