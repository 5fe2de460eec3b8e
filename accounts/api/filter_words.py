"""What the filters of lists mean, for the description of the API."""

# What filters mean, by their names; times and ids of things are said by how they end.
FILTERS = {
    "id": "Its id.",
    "active": "Works here still, or no more.",
    "channel": "Where the chat came from, as imported.",
    "effective": "Whether the referred person was received since.",
    "for_doctor": "Asked of the doctor, or by the doctor.",
    "given": "Agreed, or not agreed.",
    "holds": "Scores in force, or replaced ones.",
    "important": "Marked as important, or not.",
    "is_first": "First visits, or later ones.",
    "new_class": "Code of the class that was decided.",
    "number": "Patient number, whole.",
    "open": "Open ones, or settled ones.",
    "severity_from": "At least as grave: 1 to 4; 4 is abuse.",
    "stands": "Findings in force, or withdrawn ones.",
    "tag": "One of the patient's tags, whole.",
}
THINGS = {
    "by": "who did it", "consultant": "the consultant", "coordinator": "the coordinator", "doctor": "the doctor",
    "owner": "the responsible coordinator", "referred": "who was brought", "referrer": "who brought somebody",
    "staff": "the staff member", "user": "the staff member",
}  # fmt: skip


def words_of(name: str) -> str:
    """Return what a filter means that says nothing itself."""
    if name in FILTERS:
        return FILTERS[name]
    if name == "since" or name.endswith("_from"):
        return "From this moment on, itself included: 2026-11-22T10:00:00+08:00 (+ as %2B), or a day."
    if name.endswith("_before"):
        return "Before this moment: 2026-11-22T10:00:00+08:00 (+ as %2B), or a day."
    if name.startswith("is_"):
        return f"{name.removeprefix('is_').replace('_', ' ').capitalize()}, or not."
    return f"Id of {THINGS.get(name, 'the ' + name.replace('_', ' '))}."
