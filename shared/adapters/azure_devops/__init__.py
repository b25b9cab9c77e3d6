"""Azure DevOps, spoken to through Microsoft's package; the only importer of that package."""

from shared.adapters.azure_devops.credentials import AzureDevOpsCredentials, EntraIdentity, PersonalAccessToken
from shared.adapters.azure_devops.forge import AzureDevOpsForge
from shared.adapters.azure_devops.protection import normalised, not_expressible
from shared.adapters.azure_devops.work_items import key_tag

__all__ = [
    "AzureDevOpsCredentials",
    "AzureDevOpsForge",
    "EntraIdentity",
    "PersonalAccessToken",
    "key_tag",
    "normalised",
    "not_expressible",
]
