"""GitHub in memory: code hosting, issues, and what GitHub keeps beside a repository's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from shared.domain.forge import DeploymentEnvironment, Label, MergeKind, RepositoryRef, SecurityFeature
from shared.errors import NotSupportedError, RefusedError
from tests.fakes.forges import MemoryForge, _call

GITHUBS_OWN = Label(name="bug", color="d73a4a", description="Something isn't working")


class MemoryGitHub(MemoryForge):
    """A forge with repository settings; every repository begins with one of GitHub's own labels."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {"casey", "mona", "robin"}
        self.offered = set(SecurityFeature)
        self.offers_environments = True
        self.offers_reviewers = True
        self.deaf = False
        """Writes of settings are accepted and change nothing."""
        self.label_store: dict[str, dict[str, Label]] = defaultdict(lambda: {"bug": GITHUBS_OWN})
        self.merge_store: dict[str, frozenset[MergeKind]] = defaultdict(lambda: frozenset(MergeKind))
        self.topic_store: dict[str, list[str]] = defaultdict(list)
        self.security_store: dict[str, set[SecurityFeature]] = defaultdict(set)
        self.environment_store: dict[str, dict[str, DeploymentEnvironment]] = defaultdict(dict)

    def delete_repository(self, ref: RepositoryRef) -> None:
        key = str(ref).lower()
        try:
            super().delete_repository(ref)
        finally:
            for store in (self.label_store, self.topic_store, self.security_store, self.environment_store):
                if key not in self._repositories:
                    store.pop(key, None)

    def changes(self) -> list[str]:
        return super().changes() + [call for call in self.calls if call.startswith(("set_", "enable_", "disable_"))]

    @_call
    def merge_kinds(self, ref: RepositoryRef) -> frozenset[MergeKind]:
        return self.merge_store[self._key(ref)]

    @_call
    def labels(self, ref: RepositoryRef) -> Sequence[Label]:
        return tuple(self.label_store[self._key(ref)].values())

    @_call
    def create_label(self, ref: RepositoryRef, label: Label) -> Label:
        if self.deaf:
            return label
        return self.label_store[self._key(ref)].setdefault(label.name.lower(), label)

    @_call
    def edit_label(self, ref: RepositoryRef, label: Label) -> Label:
        labels = self.label_store[self._key(ref)]
        if label.name.lower() not in labels:
            raise RefusedError(f"{ref} has no label {label.name}", "It was deleted.")
        if not self.deaf:
            labels[label.name.lower()] = label
        return label

    @_call
    def delete_label(self, ref: RepositoryRef, name: str) -> None:
        self.label_store[self._key(ref)].pop(name.lower(), None)

    @_call
    def topics(self, ref: RepositoryRef) -> Sequence[str]:
        return tuple(self.topic_store[self._key(ref)])

    @_call
    def set_topics(self, ref: RepositoryRef, topics: Sequence[str]) -> None:
        assert len(topics) <= 20
        if not self.deaf:
            self.topic_store[self._key(ref)] = list(topics)

    @_call
    def security(self, ref: RepositoryRef) -> Mapping[SecurityFeature, bool]:
        on = self.security_store[self._key(ref)]
        return {feature: feature in on for feature in SecurityFeature if feature in self.offered}

    @_call
    def enable_security(self, ref: RepositoryRef, feature: SecurityFeature) -> None:
        if feature not in self.offered:
            raise NotSupportedError(f"{feature} is not part of this plan", "Take a bigger plan.")
        if not self.deaf:
            self.security_store[self._key(ref)].add(feature)

    @_call
    def disable_security(self, ref: RepositoryRef, feature: SecurityFeature) -> None:
        self.security_store[self._key(ref)].discard(feature)

    @_call
    def deployment_environments(self, ref: RepositoryRef) -> Sequence[DeploymentEnvironment]:
        return tuple(self.environment_store[self._key(ref)].values())

    @_call
    def set_deployment_environment(self, ref: RepositoryRef, environment: DeploymentEnvironment) -> None:
        if not self.offers_environments or (environment.reviewers and not self.offers_reviewers):
            raise NotSupportedError("the plan does not offer this for private repositories", "Take a bigger plan.")
        if not self.deaf:
            self.environment_store[self._key(ref)][environment.name.lower()] = environment

    @_call
    def delete_deployment_environment(self, ref: RepositoryRef, name: str) -> None:
        self.environment_store[self._key(ref)].pop(name.lower(), None)

    @_call
    def has_account(self, login: str) -> bool:
        return login.lower() in self.accounts

    @_call
    def has_team(self, organization: str, team: str) -> bool:
        return f"{organization}/{team}".lower() in self.teams

    def _key(self, ref: RepositoryRef) -> str:
        self.stored(ref)
        return str(ref).lower()
