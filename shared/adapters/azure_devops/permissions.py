"""Tells which of the permissions Doneright needs in Azure DevOps are there, without changing anything.

Whoever creates a project administers it, and so may delete it again; the one permission to have beforehand is to create
projects, and the service evaluates it. A personal access token is limited by scopes besides, which the service tells nowhere: they are tried by
writes that lack everything, which it refuses as incomplete to those who may and otherwise as not allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.credentials import EntraIdentity
from shared.adapters.azure_devops.errors import AccessError, CredentialError
from shared.domain.forge import PermissionFinding
from shared.errors import ConflictError, NotSupportedError, RefusedError

# https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference
COLLECTION_NAMESPACE = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7"
GIT_NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
COLLECTION_TOKEN = "NAMESPACE:"  # noqa: S105 - a token in the sense of the security namespace
CREATE_PROJECTS = 4
_NO_PROJECT = "00000000-0000-0000-0000-000000000000"

_ONLY_WHEN_ASKED = {"Identity (read)", "Graph (read and manage)", "Code (status)", "Security (manage)"}
"""Scopes that only requests with teams or approvers need, and reviews with the commands in their comments."""


class PermissionCalls:
    """The permission part of ``AzureDevOpsForge``."""

    _client: AzureDevOpsClient

    def permissions(self) -> tuple[PermissionFinding, ...]:
        """Each permission Doneright needs, present, missing or undetermined (``None``), with the remedy.

        Raises ``CredentialError`` when the credential itself is not accepted.
        """
        projects = self._client.area("core").get_projects(top=1)
        project = projects[0].name if projects else None
        findings = [
            _finding("Project and team (read)", "finding projects", True),
            _finding("Create new projects", "creating projects", self._may_create_projects()),
        ]
        probes = self._probes(project)
        for scope, needed_for in (
            ("Project and team (read, write, and manage)", "creating projects and teams, and taking them back"),
            ("Code (read, write, and manage)", "creating repositories, the first commit, branch policies"),
            ("Build (read and execute)", "creating pipelines"),
            ("Work items (read and write)", "creating the backlog"),
            ("Service hooks (read, write, and manage)", "hearing of events"),
            ("Environment (read and manage)", "creating environments and their approvals"),
            ("Variable groups (read, create, and manage)", "creating the variable group of the pipeline"),
            ("Wiki (read and write)", "creating the wiki"),
            ("Identity (read)", "finding the approvers and members that a request names"),
            ("Graph (read and manage)", "giving teams their members and role"),
            ("Code (status)", "setting the status of a review on a pull request"),
            ("Security (manage)", "reading who may write to a repository, for commands in comments"),
        ):
            # An Entra identity has no scopes: it may do all of this in the projects it creates.
            present = True if isinstance(self._client.credentials, EntraIdentity) else _outcome(probes.get(scope))
            findings.append(_finding(scope, needed_for, present, optional=scope in _ONLY_WHEN_ASKED))
        return tuple(findings)

    def _may_create_projects(self) -> bool | None:
        try:
            answer = self._client.area("security").has_permissions(
                COLLECTION_NAMESPACE, permissions=CREATE_PROJECTS, tokens=COLLECTION_TOKEN
            )
        except NotSupportedError:
            return None
        return bool(answer and answer[0])

    def _probes(self, project: str | None) -> dict[str, Callable[[], Any]]:
        client = self._client
        probes: dict[str, Callable[[], Any]] = {
            "Service hooks (read, write, and manage)": lambda: client.area("service_hooks").create_subscription(
                client.models("service_hooks").Subscription()
            ),
            "Identity (read)": lambda: client.area("identity").read_identities(
                search_filter="General", filter_value="doneright"
            ),
            "Project and team (read, write, and manage)": lambda: client.area("core").queue_delete_project(_NO_PROJECT),
            # Neither of the two exists.
            "Graph (read and manage)": lambda: client.area("graph").add_membership("aad.none", "vssgp.none"),
            "Security (manage)": lambda: client.area("security").query_access_control_lists(
                GIT_NAMESPACE, token="repoV2/" + _NO_PROJECT
            ),
        }
        if project is not None:
            tasks = client.models("task_agent")
            owner = tasks.VariableGroupProjectReference(project_reference=tasks.ProjectReference(name=project))
            probes |= {
                "Environment (read and manage)": lambda: client.area("task_agent").add_environment(
                    tasks.EnvironmentCreateParameter(), project
                ),
                "Variable groups (read, create, and manage)": lambda: client.area("task_agent").add_variable_group(
                    tasks.VariableGroupParameters(variable_group_project_references=[owner])
                ),
                "Wiki (read and write)": lambda: client.area("wiki").create_wiki(
                    client.models("wiki").WikiCreateParametersV2(), project
                ),
                "Code (read, write, and manage)": lambda: client.area("git").create_repository(
                    client.models("git").GitRepository(), project=project
                ),
                "Build (read and execute)": lambda: client.area("build").create_definition(
                    client.models("build").BuildDefinition(), project
                ),
                "Code (status)": lambda: client.area("git").create_pull_request_status(
                    client.models("git").GitPullRequestStatus(), _NO_PROJECT, 1, project=project
                ),
                "Work items (read and write)": lambda: client.area("work_item_tracking").create_work_item(
                    [], project, "Task", validate_only=True
                ),
            }
        return probes


def _outcome(probe: Callable[[], Any] | None) -> bool | None:
    """Present when refused as incomplete; missing when the scope is; a lack of rights in that one project tells nothing."""
    if probe is None:
        return None
    try:
        probe()
    except CredentialError:
        return False
    except (AccessError, NotSupportedError):
        return None
    except (RefusedError, ConflictError):
        return True
    return True


def _finding(permission: str, needed_for: str, present: bool | None, *, optional: bool = False) -> PermissionFinding:
    if permission == "Create new projects":
        remedy = "An organization owner sets 'Create new projects' to Allow in Organization settings, Permissions"
    elif present is None:
        remedy = f"Could not be tried; make sure the token has the scope {permission}"
    else:
        remedy = f"Issue a token with the scope {permission}"
    return PermissionFinding(
        permission=permission,
        needed_for=needed_for,
        present=present,
        optional=optional,
        remedy="" if present else remedy,
    )
