"""Answers for what is set beside a repository: topics, languages and security switches."""

from __future__ import annotations

import re

from local.sandbox.github.errors import ApiError
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record
from local.sandbox.github.routing import Answer, Call, route


@route("GET", "/repos/{owner}/{repo}/topics")
def topics(call: Call) -> Record:
    """Topics."""
    return {"names": call.repo()["topics"]}


@route("PUT", "/repos/{owner}/{repo}/topics")
def set_topics(call: Call) -> Record:
    """Replace the topics; GitHub wants lower case, digits and hyphens, at most 50 characters and 20 topics."""
    repo = call.repo("maintain", "administration")
    names = [str(name).lower() for name in call.need("names", list)]
    if len(names) > 20:
        raise ApiError(422, "Validation Failed", ["A repository cannot have more than 20 topics."])
    if any(not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,49}", name) for name in names):
        message = "Topics must start with a lowercase letter or number, consist of 50 characters or less, and can include hyphens."
        raise ApiError(422, "Validation Failed", [message])
    repo["topics"] = list(dict.fromkeys(names))
    call.hub.changed()
    emit(
        call.hub,
        "repository",
        {"changes": {"topics": {"from": []}}},
        sender=call.signed_in(),
        repo=repo,
        action="edited",
    )
    return {"names": repo["topics"]}


@route("GET", "/repos/{owner}/{repo}/languages")
def languages(call: Call) -> Record:
    """Bytes a language, by file ending."""
    from local.sandbox.github import objects

    repo = call.repo()
    head = objects.head_of(repo)
    endings = {"py": "Python", "bicep": "Bicep", "js": "JavaScript", "ts": "TypeScript", "sh": "Shell", "html": "HTML"}
    found: dict[str, int] = {}
    for path, (_, sha) in objects.flat(call.hub, call.hub.table("commits")[head]["tree"]).items() if head else ():
        language = endings.get(path.rpartition(".")[2])
        if language:
            found[language] = found.get(language, 0) + len(objects.blob(call.hub, sha))
    return found


_SWITCHES = {
    "vulnerability-alerts": "vulnerability_alerts",
    "automated-security-fixes": "automated_security_fixes",
    "private-vulnerability-reporting": "private_vulnerability_reporting",
}


@route("GET", "/repos/{owner}/{repo}/vulnerability-alerts")
def alerts_enabled(call: Call) -> Answer:
    """204 when on; 404 with this wording when off."""
    if not call.repo("admin", "administration").get("vulnerability_alerts"):
        raise ApiError(404, "Vulnerability alerts are disabled.")
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/automated-security-fixes")
def fixes_enabled(call: Call) -> Record:
    """Whether Dependabot opens pull requests."""
    return {"enabled": bool(call.repo("admin", "administration").get("automated_security_fixes")), "paused": False}


@route("GET", "/repos/{owner}/{repo}/private-vulnerability-reporting")
def reporting_enabled(call: Call) -> Record:
    """Whether strangers may report in private."""
    return {"enabled": bool(call.repo().get("private_vulnerability_reporting"))}


def _switch(call: Call) -> Answer:
    repo = call.repo("admin", "administration")
    name = call.request.scope["path"].rpartition("/")[2]
    on = call.request.method == "PUT"
    if name == "automated-security-fixes" and on and not repo.get("vulnerability_alerts"):
        raise ApiError(422, "Vulnerability alerts must be enabled to configure automated security fixes.")
    repo[_SWITCHES[name]] = on
    call.hub.changed()
    return Answer(204)


for _name in _SWITCHES:
    route("PUT", "/repos/{owner}/{repo}/" + _name)(_switch)
    route("DELETE", "/repos/{owner}/{repo}/" + _name)(_switch)
