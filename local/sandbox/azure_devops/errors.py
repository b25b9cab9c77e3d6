"""Words every refusal as Azure DevOps Services words it: status, message with its TF or VS number, and type key."""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """An answer with an error body; raised by handlers, turned into a response by the app."""

    def __init__(
        self,
        status: int,
        message: str,
        type_key: str,
        *,
        namespace: str = "Microsoft.TeamFoundation.Server",
        headers: dict[str, str] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> None:
        """`namespace` is the .NET assembly named in typeName; `properties` become customProperties."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.type_key = type_key
        self.namespace = namespace
        self.headers = headers or {}
        self.properties = properties

    def body(self) -> dict[str, Any]:
        """The JSON the official clients read as a wrapped exception."""
        answer: dict[str, Any] = {
            "$id": "1",
            "innerException": None,
            "message": self.message,
            "typeName": f"{self.namespace}.{self.type_key}, {self.namespace}",
            "typeKey": self.type_key,
            "errorCode": 0,
            "eventId": 3000,
        }
        if self.properties is not None:
            answer["customProperties"] = self.properties
        return answer


FRAMEWORK = "Microsoft.TeamFoundation.Framework.Server"
CORE = "Microsoft.TeamFoundation.Core.WebApi"
GIT = "Microsoft.TeamFoundation.Git.Server"
WORK = "Microsoft.TeamFoundation.WorkItemTracking.Server"
WEBAPI = "Microsoft.VisualStudio.Services.WebApi"
COMMON = "Microsoft.VisualStudio.Services.Common"
HOOKS = "Microsoft.VisualStudio.Services.ServiceHooks.WebApi"
BUILD = "Microsoft.TeamFoundation.Build.WebApi"
POLICY = "Microsoft.TeamFoundation.Policy.WebApi"
WIKI = "Microsoft.TeamFoundation.Wiki.Server"


def invalid(message: str, type_key: str = "VssPropertyValidationException", namespace: str = COMMON) -> ServiceError:
    """400: something in the request is wrong."""
    return ServiceError(400, message, type_key, namespace=namespace)


def missing_value(name: str) -> ServiceError:
    """400: a required property is absent."""
    return invalid(f"Value cannot be null.\r\nParameter name: {name}", "ArgumentNullException", "System")


def unreadable(error: Exception) -> ServiceError:
    """400: a value of the request has another type than the resource has."""
    message = (
        f"The request could not be read: {type(error).__name__}: {error}. Send each value in the type the "
        "reference of this resource gives it."
    )
    return invalid(message, "VssRequestContentException", COMMON)


def not_found(message: str, type_key: str, namespace: str = "Microsoft.TeamFoundation.Server") -> ServiceError:
    """404 with the service's own wording."""
    return ServiceError(404, message, type_key, namespace=namespace)


def no_such_route(path: str) -> ServiceError:
    """404 for a path no controller serves."""
    message = f"The controller for path '{path}' was not found or does not implement IController."
    return ServiceError(404, message, "HttpException", namespace="System.Web")


def project_by_name_missing(name: str) -> ServiceError:
    """404 TF200016."""
    message = (
        f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct "
        "and that the project exists on the specified Azure DevOps Server."
    )
    return not_found(message, "ProjectDoesNotExistWithNameException", CORE)


def project_by_id_missing(project_id: str) -> ServiceError:
    """404 VS800075."""
    uri = f"vstfs:///Classification/TeamProject/{project_id}"
    message = f"VS800075: The project with id '{uri}' does not exist, or you do not have permission to access it."
    return not_found(message, "ProjectDoesNotExistException", CORE)


def project_exists(name: str) -> ServiceError:
    """400 TF200019."""
    message = (
        f"TF200019: The following project already exists on the Azure DevOps Server: {name}. You cannot create a new "
        "project with the same name as an existing project. Provide a different name."
    )
    return invalid(message, "ProjectAlreadyExistsException", CORE)


def access_check(user: str, permission: str) -> ServiceError:
    """403 TF50309: a collection permission is missing."""
    message = (
        f"TF50309: The following account does not have sufficient permissions to complete the operation: {user}. "
        f"The following permissions are needed to perform this operation: {permission}."
    )
    return ServiceError(403, message, "AccessCheckException", namespace=FRAMEWORK)


def unauthorized(user_id: str, status: int = 403) -> ServiceError:
    """TF400813: the user may not do this at all."""
    message = f"TF400813: The user '{user_id}' is not authorized to access this resource."
    return ServiceError(status, message, "UnauthorizedRequestException", namespace="Microsoft.TeamFoundation")


def git_permission(user: str, permission: str = "GenericContribute") -> ServiceError:
    """403 TF401027."""
    message = (
        f"TF401027: You need the Git '{permission}' permission to perform this action. "
        f"Details: identity '{user}', scope 'repository'."
    )
    return ServiceError(403, message, "GitNeedsPermissionException", namespace=GIT)


def work_item_permission() -> ServiceError:
    """403 TF237111."""
    message = "TF237111: The current user does not have permissions to save work items under the specified area path."
    return ServiceError(403, message, "WorkItemUnauthorizedSaveException", namespace=WORK)


def repository_missing(name: str) -> ServiceError:
    """404 TF401019."""
    message = (
        f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have permissions "
        "for the operation you are attempting."
    )
    return not_found(message, "GitRepositoryNotFoundException", GIT)


def version_not_specified(method: str) -> ServiceError:
    """400: a changing request without an api-version."""
    message = (
        f'No api-version was supplied for the "{method}" request. The version must be supplied either as part of the '
        'Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").'
    )
    return invalid(message, "VssVersionNotSpecifiedException", WEBAPI)


def version_out_of_range(asked: str, latest: str) -> ServiceError:
    """400: an api-version newer than the service."""
    message = (
        f"The requested REST API version of {asked} is out of range for this server. "
        f"The latest REST API version this server supports is {latest}."
    )
    return invalid(message, "VssVersionOutOfRangeException", WEBAPI)


def version_needs_preview(asked: str) -> ServiceError:
    """400: a preview resource asked for without -preview."""
    message = (
        f'The requested version "{asked}" of the resource is under preview. The -preview flag must be supplied in the '
        f'api-version for such requests. For example: "{asked}-preview"'
    )
    return invalid(message, "VssInvalidPreviewVersionException", WEBAPI)


def version_malformed(asked: str) -> ServiceError:
    """400: an api-version that is no version."""
    message = f'The api-version "{asked}" could not be parsed. Use a version such as 7.1 or 7.1-preview.1.'
    return invalid(message, "VssVersionOutOfRangeException", WEBAPI)
