"""Writes the threads the service itself adds to a pull request: of votes, and of votes that a push took back."""

from __future__ import annotations

from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.service import Tree


def tell_vote(call: Call, pull: Tree, voter: str, vote: int) -> None:
    """Say that somebody voted; who, stands in the thread's people under the key that its property gives."""
    user = call.org["users"].get(voter)
    if user is None:
        return
    _tell(
        call,
        pull,
        f"{user['name']} voted {vote}",
        {"CodeReviewThreadType": "VoteUpdate", "CodeReviewVoteResult": str(vote)}
        | dict.fromkeys(("CodeReviewVotedByInitiatorIdentity", "CodeReviewVotedByIdentity"), "1"),
        {"1": voter},
    )


def tell_reset(call: Call, pull: Tree) -> None:
    """Take every vote back, and say so where there was one."""
    voted = [reviewer for reviewer, entry in pull["reviewers"].items() if entry["vote"]]
    for entry in pull["reviewers"].values():
        entry["vote"] = 0
    if voted:
        properties = {
            "CodeReviewThreadType": "ResetMultipleVotes",
            "CodeReviewResetMultipleVotesNumVoters": str(len(voted)),
        }
        _tell(call, pull, "A push took the votes back", properties, {})


def _tell(call: Call, pull: Tree, content: str, properties: dict[str, str], people: dict[str, str]) -> None:
    stamp = call.stamp()
    comment = {
        "id": 1,
        "parent": 0,
        "content": content,
        "by": call.user["id"],
        "published": stamp,
        "updated": stamp,
        "deleted": False,
        "type": "system",
    }
    pull["threads"].append(
        {
            "id": call.service.number(call.org, "thread"),
            "published": stamp,
            "updated": stamp,
            "comments": [comment],
            "status": None,
            "context": None,
            "pull_context": None,
            "properties": {name: {"$type": "System.String", "$value": value} for name, value in properties.items()},
            "deleted": False,
            "identities": people,
        }
    )
