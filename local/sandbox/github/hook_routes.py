"""Answers for webhooks of repositories, organisations and Apps, and for their deliveries."""

from __future__ import annotations

from collections.abc import Callable

from local.sandbox.github import events, present
from local.sandbox.github.app_routes import own_app
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.hook_config import add_hook, checked_config, checked_events, masked
from local.sandbox.github.hub import Record, now
from local.sandbox.github.routing import Answer, Call, route


class _Place:
    """Where hooks live: a repository or an organisation."""

    def __init__(self, call: Call, level: str) -> None:
        self.repo: Record | None = None
        self.org: Record | None = None
        if "repo" in call.params:
            self.repo = call.repo("admin", "repository_hooks")
            owner, self.kind = self.repo, "repository"
            self.url = f"{present.repository_url(call.hub, self.repo)}/hooks"
        else:
            self.org = call.org(admin=True, permission="organization_hooks", level=level)
            owner, self.kind = self.org, "organization"
            self.url = f"{call.hub.api}/orgs/{self.org['login']}/hooks"
        self.hooks: Record = owner["hooks"]

    def hook(self, call: Call) -> Record:
        found: Record | None = self.hooks.get(call.params["hook_id"])
        if found is None:
            raise not_found()
        return found

    def render(self, hook: Record) -> Record:
        url = f"{self.url}/{hook['id']}"
        body = {
            "type": hook["type"],
            "id": hook["id"],
            "name": "web",
            "active": hook["active"],
            "events": hook["events"],
            "config": masked(hook["config"]),
            "updated_at": hook["updated_at"],
            "created_at": hook["created_at"],
            "url": url,
            "ping_url": f"{url}/pings",
            "deliveries_url": f"{url}/deliveries",
        }
        if self.kind == "repository":
            body["test_url"] = f"{url}/test"
            body["last_response"] = hook.get("last_response") or {"code": None, "status": "unused", "message": None}
        return body


def _refuse_twin(place: _Place, config: Record, wanted: list[str], but: Record | None = None) -> None:
    """Two hooks of one place may not share address and events (the wording is GitHub's)."""
    for hook in place.hooks.values():
        same = hook["config"]["url"] == config["url"] and set(hook["events"]) & set(wanted)
        if hook is not but and same and hook["config"].get("content_type") == config["content_type"]:
            error = {"resource": "Hook", "code": "custom", "message": f"Hook already exists on this {place.kind}"}
            raise ApiError(422, "Validation Failed", [error])


def both(method: str, path: str) -> Callable[[Callable[[Call], object]], Callable[[Call], object]]:
    """Register a handler for repository and organisation hooks alike."""

    def register(handler: Callable[[Call], object]) -> Callable[[Call], object]:
        route(method, "/repos/{owner}/{repo}/hooks" + path)(handler)
        return route(method, "/orgs/{org}/hooks" + path)(handler)

    return register


@both("GET", "")
def hooks(call: Call) -> Answer:
    """All hooks of the place."""
    place = _Place(call, "read")
    return call.page_of(list(place.hooks.values()), place.render)


@both("POST", "")
def create(call: Call) -> Answer:
    """Create a hook and ping it."""
    place = _Place(call, "write")
    if call.get("name", str, "web") != "web":
        raise invalid("Hook", "name")
    config = checked_config(call.need("config", dict))
    wanted = checked_events(call.get("events", list, ["push"]))
    _refuse_twin(place, config, wanted)
    owner: Record = place.repo or place.org or {}
    hook = add_hook(call.hub, owner, config, wanted, active=call.get("active", bool, True))
    _ping(call, place, hook)
    return Answer(201, place.render(hook), {"Location": f"{place.url}/{hook['id']}"})


@both("GET", "/{hook_id}")
def hook(call: Call) -> Record:
    """One hook."""
    place = _Place(call, "read")
    return place.render(place.hook(call))


@both("PATCH", "/{hook_id}")
def edit(call: Call) -> Record:
    """Change a hook; a given config replaces the old one, so a secret left out is lost (as GitHub warns)."""
    place = _Place(call, "write")
    found = place.hook(call)
    config = checked_config(call.body["config"]) if call.get("config", dict) is not None else found["config"]
    wanted = checked_events(call.get("events", list, found["events"]))
    wanted = sorted(
        (set(wanted) | set(checked_events(call.get("add_events", list, [])))) - set(call.get("remove_events", list, []))
    )
    _refuse_twin(place, config, wanted, found)
    found |= {
        "config": config,
        "events": wanted,
        "active": call.get("active", bool, found["active"]),
        "updated_at": now(),
    }
    call.hub.changed()
    return place.render(found)


@both("DELETE", "/{hook_id}")
def delete(call: Call) -> Answer:
    """Delete a hook."""
    place = _Place(call, "write")
    del place.hooks[str(place.hook(call)["id"])]
    call.hub.changed()
    return Answer(204)


@both("GET", "/{hook_id}/config")
def config(call: Call) -> Record:
    """A hook's configuration."""
    return masked(_Place(call, "read").hook(call)["config"])


@both("PATCH", "/{hook_id}/config")
def edit_config(call: Call) -> Record:
    """Change single settings of a hook."""
    found = _Place(call, "write").hook(call)
    found["config"] = checked_config(call.body, found["config"])
    call.hub.changed()
    return masked(found["config"])


@both("POST", "/{hook_id}/pings")
def pings(call: Call) -> Answer:
    """Ping a hook."""
    place = _Place(call, "write")
    _ping(call, place, place.hook(call))
    return Answer(204)


@route("POST", "/repos/{owner}/{repo}/hooks/{hook_id}/tests")
def test_push(call: Call) -> Answer:
    """Send the latest push again, to hooks that want pushes."""
    from local.sandbox.github.pushes import push_payload

    place = _Place(call, "write")
    found = place.hook(call)
    repo = place.repo or {}
    head = repo["refs"].get(f"refs/heads/{repo['default_branch']}")
    if head and events.wants(found, "push"):
        payload = push_payload(call.hub, repo, f"refs/heads/{repo['default_branch']}", head, head, call.signed_in())
        events.deliver(call.hub, found, "push", payload, repo=repo)
    return Answer(204)


def _ping(call: Call, place: _Place, hook: Record) -> None:
    events.ping(call.hub, hook, place.render(hook), sender=call.signed_in(), repo=place.repo, org=place.org)


@both("GET", "/{hook_id}/deliveries")
def deliveries(call: Call) -> Answer:
    """Deliveries, the newest first."""
    return delivery_page(call, _Place(call, "read").hook(call))


@both("GET", "/{hook_id}/deliveries/{delivery_id}")
def delivery(call: Call) -> Record:
    """One delivery with request and response."""
    return delivery_of(call, _Place(call, "read").hook(call))


@both("POST", "/{hook_id}/deliveries/{delivery_id}/attempts")
def redeliver(call: Call) -> Answer:
    """Send a delivery again, under its first guid."""
    place = _Place(call, "write")
    return send_again(call, place.hook(call), place.repo, place.org)


@route("GET", "/app/hook/config")
def app_config(call: Call) -> Record:
    """The App's hook."""
    return masked(own_app(call)["hook"]["config"])


@route("PATCH", "/app/hook/config")
def edit_app_config(call: Call) -> Record:
    """Change the App's hook."""
    found = own_app(call)["hook"]
    found["config"] = checked_config(call.body, found["config"])
    found["active"] = True
    call.hub.changed()
    return masked(found["config"])


@route("GET", "/app/hook/deliveries")
def app_deliveries(call: Call) -> Answer:
    """The App's deliveries."""
    return delivery_page(call, own_app(call)["hook"])


@route("GET", "/app/hook/deliveries/{delivery_id}")
def app_delivery(call: Call) -> Record:
    """One delivery of the App."""
    return delivery_of(call, own_app(call)["hook"])


@route("POST", "/app/hook/deliveries/{delivery_id}/attempts")
def app_redeliver(call: Call) -> Answer:
    """Send a delivery of the App again."""
    return send_again(call, own_app(call)["hook"], None, None)


def delivery_page(call: Call, hook: Record) -> Answer:
    """Deliveries by cursor, as GitHub pages them: the cursor is the id of the last one shown."""
    size = min(100, int(call.query["per_page"]) if call.query.get("per_page", "").isdigit() else 30) or 30
    found = hook["deliveries"]
    status = call.query.get("status")
    if status == "failure":
        found = [d for d in found if not 200 <= d["status_code"] < 400]
    elif status == "success":
        found = [d for d in found if 200 <= d["status_code"] < 400]
    cursor = call.query.get("cursor")
    if cursor:
        if not cursor.isdigit():
            raise ApiError(422, "Invalid cursor")
        found = [d for d in found if d["id"] < int(cursor)]
    shown = found[:size]
    headers = {}
    if len(found) > size:
        path = call.request.scope["path"]
        kept = "".join(f"&{k}={v}" for k, v in call.query.items() if k not in {"per_page", "cursor"})
        headers["Link"] = f'<{call.hub.base_url}{path}?per_page={size}&cursor={shown[-1]["id"]}{kept}>; rel="next"'
    return Answer(
        200, [{k: v for k, v in d.items() if k not in {"request", "response", "url"}} for d in shown], headers
    )


def delivery_of(call: Call, hook: Record) -> Record:
    """One delivery; raises ApiError 404."""
    number = call.number("delivery_id")
    found: Record | None = next((d for d in hook["deliveries"] if d["id"] == number), None)
    if found is None:
        raise not_found()
    return found


def send_again(call: Call, hook: Record, repo: Record | None, org: Record | None) -> Answer:
    """Queue a delivery again."""
    old = delivery_of(call, hook)
    hub = call.hub
    if repo is None and old["repository_id"] is not None:
        repo = next((r for r in hub.table("repos").values() if r["id"] == old["repository_id"]), None)
    installation = hub.table("installations").get(str(old["installation_id"]))
    app = call.caller.app or None
    events.deliver(
        hub,
        hook,
        old["event"],
        old["request"]["payload"],
        repo=repo,
        org=org,
        app=app,
        installation=installation,
        guid=old["guid"],
    )
    return Answer(202, {})
