"""Lists the fields work items have: reference name, display name, type, and who may write them."""

from __future__ import annotations

from local.sandbox.azure_devops.service import Tree

_READ_ONLY = "r"
_TABLE = """
System.Id|ID|integer|r
System.Rev|Rev|integer|r
System.TeamProject|Team Project|string|r
System.WorkItemType|Work Item Type|string|r
System.NodeName|Node Name|string|r
System.AreaId|Area ID|integer|
System.IterationId|Iteration ID|integer|
System.CommentCount|Comment Count|integer|r
System.CreatedDate|Created Date|dateTime|r
System.CreatedBy|Created By|string|r
System.ChangedDate|Changed Date|dateTime|r
System.ChangedBy|Changed By|string|r
System.AuthorizedDate|Authorized Date|dateTime|r
System.RevisedDate|Revised Date|dateTime|r
System.Watermark|Watermark|integer|r
System.Parent|Parent|integer|r
System.BoardColumn|Board Column|string|
System.BoardColumnDone|Board Column Done|boolean|
System.BoardLane|Board Lane|string|
System.ExternalLinkCount|External Link Count|integer|r
System.HyperLinkCount|Hyperlink Count|integer|r
System.RelatedLinkCount|Related Link Count|integer|r
System.AttachedFileCount|Attached File Count|integer|r
System.Title|Title|string|
System.State|State|string|
System.Reason|Reason|string|
System.AssignedTo|Assigned To|string|
System.Description|Description|html|
System.History|History|history|
System.Tags|Tags|plainText|
System.AreaPath|Area Path|treePath|
System.IterationPath|Iteration Path|treePath|
Microsoft.VSTS.Common.Priority|Priority|integer|
Microsoft.VSTS.Common.Severity|Severity|string|
Microsoft.VSTS.Common.Activity|Activity|string|
Microsoft.VSTS.Common.Discipline|Discipline|string|
Microsoft.VSTS.Common.Risk|Risk|string|
Microsoft.VSTS.Common.ValueArea|Value Area|string|
Microsoft.VSTS.Common.BusinessValue|Business Value|integer|
Microsoft.VSTS.Common.TimeCriticality|Time Criticality|double|
Microsoft.VSTS.Common.StackRank|Stack Rank|double|
Microsoft.VSTS.Common.BacklogPriority|Backlog Priority|double|
Microsoft.VSTS.Common.AcceptanceCriteria|Acceptance Criteria|html|
Microsoft.VSTS.Common.Resolution|Resolution|html|
Microsoft.VSTS.Common.ResolvedReason|Resolved Reason|string|
Microsoft.VSTS.Common.Triage|Triage|string|
Microsoft.VSTS.Common.Rating|Rating|string|
Microsoft.VSTS.Common.StateChangeDate|State Change Date|dateTime|r
Microsoft.VSTS.Common.ActivatedDate|Activated Date|dateTime|
Microsoft.VSTS.Common.ActivatedBy|Activated By|string|
Microsoft.VSTS.Common.ResolvedDate|Resolved Date|dateTime|
Microsoft.VSTS.Common.ResolvedBy|Resolved By|string|
Microsoft.VSTS.Common.ClosedDate|Closed Date|dateTime|
Microsoft.VSTS.Common.ClosedBy|Closed By|string|
Microsoft.VSTS.Scheduling.StoryPoints|Story Points|double|
Microsoft.VSTS.Scheduling.Effort|Effort|double|
Microsoft.VSTS.Scheduling.Size|Size|double|
Microsoft.VSTS.Scheduling.OriginalEstimate|Original Estimate|double|
Microsoft.VSTS.Scheduling.RemainingWork|Remaining Work|double|
Microsoft.VSTS.Scheduling.CompletedWork|Completed Work|double|
Microsoft.VSTS.Scheduling.StartDate|Start Date|dateTime|
Microsoft.VSTS.Scheduling.FinishDate|Finish Date|dateTime|
Microsoft.VSTS.Scheduling.TargetDate|Target Date|dateTime|
Microsoft.VSTS.Scheduling.DueDate|Due Date|dateTime|
Microsoft.VSTS.CMMI.RequirementType|Requirement Type|string|
Microsoft.VSTS.CMMI.TaskType|Task Type|string|
Microsoft.VSTS.CMMI.Blocked|Blocked|string|
Microsoft.VSTS.CMMI.Committed|Committed|string|
Microsoft.VSTS.CMMI.Escalate|Escalate|string|
Microsoft.VSTS.CMMI.Estimate|Estimate|double|
Microsoft.VSTS.CMMI.ImpactAssessmentHtml|Impact Assessment|html|
Microsoft.VSTS.CMMI.Justification|Justification|html|
Microsoft.VSTS.CMMI.MitigationPlan|Mitigation Plan|html|
Microsoft.VSTS.CMMI.MitigationTriggers|Mitigation Triggers|html|
Microsoft.VSTS.CMMI.ContingencyPlan|Contingency Plan|html|
Microsoft.VSTS.CMMI.Probability|Probability|integer|
Microsoft.VSTS.CMMI.Purpose|Purpose|string|
Microsoft.VSTS.CMMI.RequiresReview|Requires Review|string|
Microsoft.VSTS.CMMI.RequiresTest|Requires Test|string|
Microsoft.VSTS.CMMI.RootCause|Root Cause|string|
Microsoft.VSTS.CMMI.UserAcceptanceTest|User Acceptance Test|string|
Microsoft.VSTS.CMMI.MeetingType|Meeting Type|string|
Microsoft.VSTS.TCM.ReproSteps|Repro Steps|html|
Microsoft.VSTS.TCM.SystemInfo|System Info|html|
Microsoft.VSTS.TCM.Steps|Steps|html|
Microsoft.VSTS.TCM.AutomationStatus|Automation status|string|
Microsoft.VSTS.TCM.AutomatedTestName|Automated Test Name|string|
Microsoft.VSTS.TCM.AutomatedTestStorage|Automated Test Storage|string|
Microsoft.VSTS.Build.FoundIn|Found In|string|
Microsoft.VSTS.Build.IntegrationBuild|Integration Build|string|
"""

ALLOWED_VALUES: dict[str, tuple[str, ...]] = {
    "Microsoft.VSTS.Common.Severity": ("1 - Critical", "2 - High", "3 - Medium", "4 - Low"),
    "Microsoft.VSTS.Common.Risk": ("1 - High", "2 - Medium", "3 - Low"),
    "Microsoft.VSTS.Common.ValueArea": ("Architectural", "Business"),
    "Microsoft.VSTS.Common.Priority": ("1", "2", "3", "4"),
    "Microsoft.VSTS.Common.Activity": (
        "Deployment",
        "Design",
        "Development",
        "Documentation",
        "Requirements",
        "Testing",
    ),
    "Microsoft.VSTS.CMMI.RequirementType": (
        "Business Objective",
        "Feature",
        "Functional",
        "Interface",
        "Operational",
        "Quality of Service",
        "Safety",
        "Scenario",
        "Security",
    ),
    "Microsoft.VSTS.CMMI.Blocked": ("No", "Yes"),
    "Microsoft.VSTS.CMMI.Committed": ("No", "Yes"),
    "Microsoft.VSTS.CMMI.MeetingType": ("Meeting", "Offline"),
}
"""Fields whose values are limited to a list."""

DEFAULTS: dict[tuple[str, str], dict[str, object]] = {
    ("CMMI", "Requirement"): {
        "Microsoft.VSTS.CMMI.RequirementType": "Functional",
        "Microsoft.VSTS.CMMI.Committed": "No",
    },
    ("CMMI", "Review"): {"Microsoft.VSTS.CMMI.MeetingType": "Meeting"},
    ("CMMI", "Task"): {"Microsoft.VSTS.CMMI.Blocked": "No"},
}
"""Values a type starts with, by process and type."""


def _rows() -> dict[str, Tree]:
    found = {}
    for line in _TABLE.strip().splitlines():
        reference, name, kind, flag = line.split("|")
        found[reference.lower()] = {
            "referenceName": reference,
            "name": name,
            "type": kind,
            "readOnly": flag == _READ_ONLY,
            "isIdentity": name.endswith(" By") or name == "Assigned To",
        }
    return found


FIELDS = _rows()
"""Every system field by lower-cased reference name."""


def find_field(text: str, extra: dict[str, Tree] | None = None) -> Tree | None:
    """A field by reference name or display name, whatever the case."""
    wanted = text.strip().lower()
    known = FIELDS | (extra or {})
    if wanted in known:
        return known[wanted]
    return next((f for f in known.values() if f["name"].lower() == wanted), None)


def starting_values(process: str, type_name: str) -> dict[str, object]:
    """Values a new work item of a type gets when it is given none."""
    values: dict[str, object] = {}
    if type_name in {"Epic", "Feature", "User Story", "Product Backlog Item", "Requirement"} and process != "Basic":
        values["Microsoft.VSTS.Common.ValueArea"] = "Business"
    if type_name not in {"Test Plan", "Test Suite", "Review"}:
        values["Microsoft.VSTS.Common.Priority"] = 2
    if type_name == "Bug":
        values["Microsoft.VSTS.Common.Severity"] = "3 - Medium"
    return values | DEFAULTS.get((process, type_name), {})
