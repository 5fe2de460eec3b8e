"""Which exam data a visit still lacks (DOMAIN §2.5, [S1]). No database here."""

from collections.abc import Iterable
from dataclasses import dataclass

from consultations.stages import Route


@dataclass(frozen=True)
class ExamState:
    """How one kind of exam stands in a visit. Required kinds with the same `one_of` stand for each other."""

    code: str
    name: str
    required: bool = False
    needs_files: bool = True
    one_of: str = ""
    ordered: bool = False
    done: bool = False
    files: int = 0

    @property
    def whole(self) -> bool:
        """Done, and with its pictures where the kind has any."""
        return self.done and (self.files > 0 or not self.needs_files)


def lacking(states: Iterable[ExamState], route: str) -> list[ExamState]:
    """Return the kinds whose data is still to be had, in order.

    Whatever was ordered must be whole. When the exam comes first, so must every required kind; of those
    that stand for each other one is enough, and the first of them is named.
    """
    every = list(states)
    found = [state for state in every if state.ordered and not state.whole]
    if route != Route.EXAM_FIRST:
        return found
    settled = {state.one_of for state in every if state.one_of and (state.ordered or state.whole)}
    for state in every:
        if state.required and not state.ordered and not state.whole and state.one_of not in settled:
            found.append(state)
            settled |= {state.one_of} - {""}
    return sorted(found, key=every.index)
