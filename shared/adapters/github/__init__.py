"""GitHub, spoken to through PyGithub; the only importer of that package."""

from shared.adapters.github.credentials import AppInstallation, GitHubCredentials, PersonalAccessToken
from shared.adapters.github.forge import GitHubForge, Installation
from shared.adapters.github.manifest import AppRegistration, convert_manifest
from shared.adapters.github.protection import normalised, not_expressible

__all__ = [
    "AppInstallation",
    "AppRegistration",
    "GitHubCredentials",
    "GitHubForge",
    "Installation",
    "PersonalAccessToken",
    "convert_manifest",
    "normalised",
    "not_expressible",
]
