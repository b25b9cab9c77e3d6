"""Lists the system processes as the service ships them: work item types, their states, and backlog levels."""

from __future__ import annotations

from dataclasses import dataclass

from local.sandbox.azure_devops.service import Tree

CATEGORY_COLORS = {
    "Proposed": "b2b2b2",
    "InProgress": "007acc",
    "Resolved": "ff9d00",
    "Completed": "339933",
    "Removed": "ffffff",
}


@dataclass(frozen=True)
class State:
    """One workflow state and the category boards use."""

    name: str
    category: str
    color: str = ""

    def as_json(self) -> Tree:
        """As `workitemtypes/{type}/states` reports it."""
        color = self.color or CATEGORY_COLORS[self.category]
        return {"name": self.name, "color": color, "category": self.category}


@dataclass(frozen=True)
class WorkItemType:
    """A work item type of a process."""

    name: str
    reference: str
    color: str
    icon: str
    states: tuple[State, ...]

    def state(self, name: str) -> State | None:
        """The state of that name, whatever its case."""
        return next((s for s in self.states if s.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class Backlog:
    """One level of the backlog: its category, plural name and types, the highest rank on top."""

    id: str
    name: str
    types: tuple[str, ...]
    rank: int


@dataclass(frozen=True)
class Process:
    """A process with its types by name and its backlog levels from the top."""

    id: str
    name: str
    description: str
    types: dict[str, WorkItemType]
    backlogs: tuple[Backlog, ...]
    is_default: bool = False

    def find(self, name: str) -> WorkItemType | None:
        """A type by name or reference name, whatever the case."""
        wanted = name.lower()
        return next((t for t in self.types.values() if wanted in {t.name.lower(), t.reference.lower()}), None)

    def backlog_of(self, type_name: str) -> Backlog | None:
        """The level a type belongs to."""
        return next((b for b in self.backlogs if type_name in b.types), None)


_CATEGORIES = {"P": "Proposed", "I": "InProgress", "R": "Resolved", "C": "Completed", "X": "Removed"}
_ICONS = {
    "Epic": ("E06C00", "icon_crown"),
    "Feature": ("773B93", "icon_trophy"),
    "User Story": ("009CCC", "icon_book"),
    "Product Backlog Item": ("009CCC", "icon_list"),
    "Requirement": ("009CCC", "icon_list"),
    "Task": ("F2CB1D", "icon_clipboard"),
    "Bug": ("CC293D", "icon_insect"),
    "Issue": ("B4009E", "icon_traffic_cone"),
    "Impediment": ("B4009E", "icon_traffic_cone"),
    "Change Request": ("B4009E", "icon_asterisk"),
    "Review": ("B4009E", "icon_glasses"),
    "Risk": ("B4009E", "icon_alert"),
    "Test Case": ("004B50", "icon_test_case"),
    "Test Plan": ("004B50", "icon_test_plan"),
    "Test Suite": ("004B50", "icon_test_suite"),
    "Shared Steps": ("004B50", "icon_test_step"),
}
_TEST_TYPES = {
    "Test Case": "Design:P Ready:I Closed:C",
    "Test Plan": "Active:I Inactive:C",
    "Test Suite": "In_Planning:P In_Progress:I Completed:C",
    "Shared Steps": "Active:I Closed:C",
}


def _types(namespace: str, **states: str) -> dict[str, WorkItemType]:
    found = {}
    given = {name.replace("_", " "): text for name, text in states.items()} | _TEST_TYPES
    for name, text in given.items():
        color, icon = _ICONS[name]
        pairs = (part.rsplit(":", 1) for part in text.split())
        # Basic keeps its own reference names for its types; the test types are shared by all processes.
        own = name not in _TEST_TYPES and namespace
        reference = f"Microsoft.VSTS.WorkItemTypes.{name.replace(' ', '')}"
        if own and name in {"Epic", "Issue", "Task"}:
            reference = f"Microsoft.VSTS.WorkItemTypes.{name}"
        found[name] = WorkItemType(
            name, reference, color, icon, tuple(State(s.replace("_", " "), _CATEGORIES[c]) for s, c in pairs)
        )
    return found


_EPICS, _FEATURES, _STORIES, _TASKS = (
    "Microsoft.EpicCategory",
    "Microsoft.FeatureCategory",
    "Microsoft.RequirementCategory",
    "Microsoft.TaskCategory",
)
_LONG = "New:P Active:I Resolved:R Closed:C Removed:X"
_FORMAL = "Proposed:P Active:I Resolved:R Closed:C"
_SCRUM = "New:P In_Progress:I Done:C Removed:X"
_COMMITTED = "New:P Approved:P Committed:I Done:C Removed:X"
_SIMPLE = "To_Do:P Doing:I Done:C"


def _levels(epics: bool, story: str, plural: str, features: bool = True) -> tuple[Backlog, ...]:
    levels = [Backlog(_EPICS, "Epics", ("Epic",), 40)] if epics else []
    if features:
        levels.append(Backlog(_FEATURES, "Features", ("Feature",), 30))
    return (*levels, Backlog(_STORIES, plural, (story,), 20), Backlog(_TASKS, "Tasks", ("Task",), 10))


AGILE = Process(
    "adcc42ab-9882-485e-a3ed-7678f01f66bc",
    "Agile",
    "This template is flexible and will work great for most teams using Agile planning methods, including those "
    "practicing Scrum.",
    _types(
        "Agile",
        Epic=_LONG,
        Feature=_LONG,
        User_Story=_LONG,
        Task="New:P Active:I Closed:C Removed:X",
        Bug="New:P Active:I Resolved:R Closed:C",
        Issue="Active:I Closed:C",
    ),
    _levels(True, "User Story", "Stories"),
)
SCRUM = Process(
    "6b724908-ef14-45cf-84f8-768b5384da45",
    "Scrum",
    "This template is for teams who follow the Scrum framework.",
    _types(
        "Scrum",
        Epic=_SCRUM,
        Feature=_SCRUM,
        Product_Backlog_Item=_COMMITTED,
        Bug=_COMMITTED,
        Task="To_Do:P In_Progress:I Done:C Removed:X",
        Impediment="Open:I Closed:C",
    ),
    _levels(True, "Product Backlog Item", "Backlog items"),
)
CMMI = Process(
    "27450541-8e31-4150-9947-dc59f998fc01",
    "CMMI",
    "This template is for more formal projects requiring a framework for process improvement and an auditable record "
    "of decisions.",
    _types(
        "CMMI",
        Epic=_FORMAL,
        Feature=_FORMAL,
        Requirement=_FORMAL,
        Task=_FORMAL,
        Bug=_FORMAL,
        Change_Request=_FORMAL,
        Issue=_FORMAL,
        Review="Active:I Resolved:R Closed:C",
        Risk="Proposed:P Active:I Closed:C",
    ),
    _levels(True, "Requirement", "Requirements"),
)
BASIC = Process(
    "b8a3a935-7e91-48b8-a94c-606d37c3e9f2",
    "Basic",
    "This template is flexible for any process and great for teams getting started with Azure DevOps.",
    _types("Basic", Epic=_SIMPLE, Issue=_SIMPLE, Task=_SIMPLE),
    _levels(True, "Issue", "Issues", features=False),
    is_default=True,
)
SYSTEM_PROCESSES = {process.id: process for process in (SCRUM, BASIC, AGILE, CMMI)}
BUG_CATEGORY = "Microsoft.BugCategory"
