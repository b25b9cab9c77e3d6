"""What reviews need of GitHub: looking at pull requests with few questions, and telling what a review came to."""

from shared.adapters.github.reviews.checks import CheckCalls
from shared.adapters.github.reviews.files import FileCalls
from shared.adapters.github.reviews.looking import LookCalls
from shared.adapters.github.reviews.merging import MergeCalls
from shared.adapters.github.reviews.remarks import RemarkCalls

__all__ = ["ReviewCalls"]


class ReviewCalls(LookCalls, CheckCalls, RemarkCalls, MergeCalls, FileCalls):
    """The review part of ``GitHubForge``: implements ``ReviewForge``."""
