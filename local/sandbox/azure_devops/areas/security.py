"""Answers what the caller may do, and keeps access control lists that are set."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.location import identity
from local.sandbox.azure_devops.call import Call, Level, Reply, serves, whole_number
from local.sandbox.azure_devops.identities import level_of
from local.sandbox.azure_devops.service import Tree

PROJECT, GIT, COLLECTION, BUILD, HOOKS, CSS = (
    "52d39943-cb85-4d7f-8fa8-c6baac873819",
    "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87",
    "3e65f728-f8bc-4ecd-8764-7e378b19bfa7",
    "33344d9c-fc72-4d6f-aba5-fa317101a7e9",
    "cb594ebe-87dd-4fc9-ac2c-6a10a4c92046",
    "83e28ad4-2d72-4ceb-97b0-c7726d5502c3",
)
_A, _P, _C, _R = (
    Level.COLLECTION_ADMINISTRATOR,
    Level.PROJECT_ADMINISTRATOR,
    Level.CONTRIBUTOR,
    Level.READER,
)
NAMESPACES: dict[str, tuple[str, tuple[tuple[int, str, str, Level], ...]]] = {
    PROJECT: (
        "Project",
        (
            (1, "GENERIC_READ", "View project-level information", _R),
            (2, "GENERIC_WRITE", "Edit project-level information", _P),
            (4, "DELETE", "Delete team project", _A),
            (8, "PUBLISH_TEST_RESULTS", "Create test runs", _C),
            (131072, "RENAME", "Rename team project", _P),
            (2097152, "MANAGE_PROPERTIES", "Manage project properties", _P),
        ),
    ),
    GIT: (
        "Git Repositories",
        (
            (1, "Administer", "Administer", _P),
            (2, "GenericRead", "Read", _R),
            (4, "GenericContribute", "Contribute", _C),
            (8, "ForcePush", "Force push (rewrite history, delete branches and tags)", _P),
            (16, "CreateBranch", "Create branch", _C),
            (128, "PolicyExempt", "Bypass policies when pushing", _P),
            (256, "CreateRepository", "Create repository", _P),
            (512, "DeleteRepository", "Delete or disable repository", _P),
            (2048, "EditPolicies", "Edit policies", _P),
            (16384, "PullRequestContribute", "Contribute to pull requests", _C),
        ),
    ),
    COLLECTION: (
        "Collection",
        (
            (1, "GENERIC_READ", "View instance-level information", _R),
            (2, "GENERIC_WRITE", "Edit instance-level information", _A),
            (4, "CREATE_PROJECTS", "Create new projects", _A),
            (16, "TRIGGER_EVENT", "Trigger events", _A),
        ),
    ),
    BUILD: (
        "Build",
        (
            (1, "ViewBuilds", "View builds", _R),
            (128, "QueueBuilds", "Queue builds", _C),
            (1024, "ViewBuildDefinition", "View build pipeline", _R),
            (2048, "EditBuildDefinition", "Edit build pipeline", _C),
        ),
    ),
    HOOKS: (
        "ServiceHooks",
        (
            (1, "ViewSubscriptions", "View subscriptions", _R),
            (2, "EditSubscriptions", "Edit subscriptions", _P),
            (4, "DeleteSubscriptions", "Delete subscriptions", _P),
        ),
    ),
    CSS: (
        "CSS",
        (
            (1, "GENERIC_READ", "View permissions for this node", _R),
            (2, "GENERIC_WRITE", "Edit this node", _P),
            (4, "CREATE_CHILDREN", "Create child nodes", _P),
            (16, "WORK_ITEM_READ", "View work items in this node", _R),
            (32, "WORK_ITEM_WRITE", "Edit work items in this node", _C),
        ),
    ),
}
"""Security namespaces by id: name, and each action's bit, name, display name and least level."""


def _namespace(call: Call) -> str:
    wanted = call.value("securityNamespaceId").lower()
    if wanted not in NAMESPACES:
        message = f"TF400889: The security namespace {wanted} does not exist."
        raise errors.not_found(message, "InvalidSecurityNamespaceException", errors.FRAMEWORK)
    return wanted


def _namespace_json(namespace: str) -> Tree:
    name, actions = NAMESPACES[namespace]
    return {
        "namespaceId": namespace,
        "name": name,
        "displayName": name,
        "separatorValue": "/",
        "elementLength": -1,
        "writePermission": 2,
        "readPermission": 1,
        "dataspaceCategory": "Default",
        "actions": [{"bit": b, "name": n, "displayName": d, "namespaceId": namespace} for b, n, d, _ in actions],
        "structureValue": 1,
        "useTokenTranslator": True,
    }


@serves("GET", "SecurityNamespaces/{securityNamespaceId}", Level.NONE)
def get_namespaces(call: Call) -> list[Tree]:
    """One namespace or all."""
    if "securityNamespaceId" in call.values:
        return [_namespace_json(_namespace(call))]
    return [_namespace_json(n) for n in NAMESPACES]


def _project_of(call: Call, token: str) -> Tree | None:
    lower = token.lower()
    return next((p for p in call.org["projects"].values() if p["id"] in lower), None)


def allowed_bits(call: Call, namespace: str, token: str) -> int:
    """The bits the caller has on a token."""
    level = level_of(call.user, _project_of(call, token))
    return sum(bit for bit, _, _, least in NAMESPACES[namespace][1] if level >= least)


def has(call: Call, namespace: str, token: str, bits: int) -> bool:
    """Whether the caller has all of the bits."""
    return allowed_bits(call, namespace, token) & bits == bits


def _bits(text: str) -> int:
    bits = whole_number(text)
    if bits is None:
        raise errors.invalid(f"The value '{text}' is not valid for permissions.")
    return bits


@serves("GET", "Permissions/{securityNamespaceId}/{permissions}", Level.NONE)
def has_permissions(call: Call) -> list[bool]:
    """Whether the caller has permissions on each token."""
    namespace = _namespace(call)
    tokens = call.text("tokens").split(call.text("delimiter") or ",")
    return [has(call, namespace, t, _bits(call.value("permissions"))) for t in tokens]


@serves("POST", "Security/PermissionEvaluationBatch", Level.NONE)
def has_permissions_batch(call: Call) -> Tree:
    """Evaluate several permissions at once."""
    body = call.json()
    evaluations = []
    for given in body.get("evaluations") or []:
        namespace = str(given.get("securityNamespaceId", "")).lower()
        known = namespace in NAMESPACES
        value = known and has(call, namespace, str(given.get("token") or ""), int(given.get("permissions") or 0))
        evaluations.append({**given, "value": value})
    return {"alwaysAllowAdministrators": bool(body.get("alwaysAllowAdministrators")), "evaluations": evaluations}


@serves("GET", "AccessControlLists/{securityNamespaceId}", Level.READER)
def get_lists(call: Call) -> list[Tree]:
    """The access control lists set for a token, or all of the namespace."""
    namespace = _namespace(call)
    held = call.org["access"].get(namespace, {})
    token = call.text("token")
    wanted = {d for d in call.text("descriptors").split(",") if d}
    if call.flag("includeExtendedInfo") and token and wanted:
        return [_worked_out(call, namespace, token, held.get(token, {}), sorted(wanted))]
    return [
        {
            "inheritPermissions": True,
            "token": t,
            "acesDictionary": {d: entry for d, entry in entries.items() if not wanted or d in wanted},
        }
        for t, entries in held.items()
        if token in {"", t} or (call.flag("recurse") and t.startswith(token))
    ]


def _worked_out(call: Call, namespace: str, token: str, entries: Tree, wanted: list[str]) -> Tree:
    """The list of a token with what each of the people may do there in the end."""
    project = _project_of(call, token)
    shown: Tree = {}
    for descriptor in wanted:
        user = next((u for u in call.org["users"].values() if identity(call, u)["descriptor"] == descriptor), None)
        if user is None:
            continue
        entry = entries.get(descriptor, {"descriptor": descriptor, "allow": 0, "deny": 0})
        level = level_of(user, project)
        inherited = sum(bit for bit, _, _, least in NAMESPACES[namespace][1] if level >= least)
        effective = (inherited | entry["allow"]) & ~entry["deny"]
        extended = {"effectiveAllow": effective, "inheritedAllow": inherited} | (
            {"effectiveDeny": entry["deny"]} if entry["deny"] else {}
        )
        shown[descriptor] = {**entry, "extendedInfo": extended}
    return {"inheritPermissions": True, "token": token, "acesDictionary": shown, "includeExtendedInfo": True}


@serves("POST", "AccessControlLists/{securityNamespaceId}", Level.PROJECT_ADMINISTRATOR)
def set_lists(call: Call) -> Reply:
    """Replace the whole lists of tokens."""
    held = call.org["access"].setdefault(_namespace(call), {})
    given = call.json().get("value") or []
    lists = {}
    for one in given:
        if not one.get("token"):
            raise errors.missing_value("token")
        lists[str(one["token"])] = {
            descriptor: {"descriptor": descriptor, "allow": int(e.get("allow") or 0), "deny": int(e.get("deny") or 0)}
            for descriptor, e in (one.get("acesDictionary") or {}).items()
        }
    held |= lists
    return Reply(None, 204)


@serves("POST", "AccessControlEntries/{securityNamespaceId}", Level.PROJECT_ADMINISTRATOR)
def set_entries(call: Call) -> list[Tree]:
    """Set entries of a token; with merge they add to what is there."""
    body = call.json()
    token = str(body.get("token") or "")
    if not token:
        raise errors.missing_value("token")
    entries = call.org["access"].setdefault(_namespace(call), {}).setdefault(token, {})
    answers = []
    for given in body.get("accessControlEntries") or []:
        if not given.get("descriptor"):
            raise errors.missing_value("descriptor")
        old = (
            entries.get(given["descriptor"], {"allow": 0, "deny": 0}) if body.get("merge") else {"allow": 0, "deny": 0}
        )
        allow, deny = int(given.get("allow") or 0), int(given.get("deny") or 0)
        entry = {
            "descriptor": given["descriptor"],
            "allow": (old["allow"] | allow) & ~deny,
            "deny": (old["deny"] | deny) & ~allow,
        }
        entries[given["descriptor"]] = entry
        answers.append(entry)
    return answers


@serves("DELETE", "AccessControlEntries/{securityNamespaceId}", Level.PROJECT_ADMINISTRATOR)
def remove_entries(call: Call) -> Reply:
    """Remove the entries of descriptors from a token."""
    entries = call.org["access"].get(_namespace(call), {}).get(call.text("token"), {})
    removed = [entries.pop(d, None) for d in call.text("descriptors").split(",")]
    return Reply(any(removed))


@serves("DELETE", "AccessControlLists/{securityNamespaceId}", Level.PROJECT_ADMINISTRATOR)
def remove_lists(call: Call) -> Reply:
    """Remove the lists of tokens."""
    held = call.org["access"].get(_namespace(call), {})
    removed = [held.pop(t, None) for t in call.text("tokens").split(",")]
    return Reply(any(r is not None for r in removed))
