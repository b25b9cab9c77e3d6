"""Reviews on Azure Repos: everything ``AzureDevOpsForge`` answers and tells about a pull request."""

from shared.adapters.azure_devops.reviews.access import AccessCalls
from shared.adapters.azure_devops.reviews.outcomes import OutcomeCalls
from shared.adapters.azure_devops.reviews.remarks import RemarkCalls


class ReviewCalls(OutcomeCalls, RemarkCalls, AccessCalls):
    """The review part of ``AzureDevOpsForge``: reads and writes of changes."""


__all__ = ["ReviewCalls"]
