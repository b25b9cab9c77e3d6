"""Serves project and code wikis with pages guarded by ETags; a code wiki is read from git once, when published."""

from __future__ import annotations

from urllib.parse import quote

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.service import Tree, new_id

_PAGES = "wiki/wikis/{wikiIdentifier}/pages/{*path}"
_BY_ID = "wiki/wikis/{wikiIdentifier}/pages/{id}"
_LEVELS = {"none": 0, "onelevel": 1, "onelevelplusnestedemptyfolders": 1, "full": 99}


def wiki_json(call: Call, project: Tree, wiki: Tree) -> Tree:
    """A wiki as answered."""
    return {
        "id": wiki["id"],
        "versions": [{"version": wiki["version"]}],
        "url": call.url(project["id"], "_apis/wiki/wikis", wiki["id"]),
        "remoteUrl": call.url(project["name"], "_wiki/wikis", wiki["id"]),
        "type": wiki["type"],
        "name": wiki["name"],
        "projectId": project["id"],
        "repositoryId": wiki["repository"],
        "mappedPath": wiki["mapped"],
        "isDisabled": False,
    }


def _wiki_of(call: Call) -> tuple[Tree, Tree]:
    wanted = call.value("wikiIdentifier").lower()
    for project in call.projects():
        for wiki in project["wikis"].values():
            if wanted in {wiki["id"], wiki["name"].lower()}:
                return call.enter(project), wiki
    message = f"Wiki not found. Wiki identifier: {call.value('wikiIdentifier')}."
    raise errors.not_found(message, "WikiNotFoundException", errors.WIKI)


@serves("GET", "wiki/wikis/{wikiIdentifier}")
def get_wikis(call: Call) -> object:
    """One wiki or all."""
    if "wikiIdentifier" in call.values:
        return wiki_json(call, *_wiki_of(call))
    return [wiki_json(call, p, w) for p in call.projects() for w in p["wikis"].values()]


def _check_free(project: Tree, name: str, own: Tree | None = None) -> None:
    if any(w is not own and w["name"].lower() == name.lower() for w in project["wikis"].values()):
        message = f"Wiki already exists with name '{name}'."
        raise errors.ServiceError(409, message, "WikiAlreadyExistsException", namespace=errors.WIKI)


@serves("POST", "wiki/wikis/{wikiIdentifier}", Level.READER)
def create_wiki(call: Call) -> Reply:
    """Create the project's wiki, or publish a folder of a repository as one."""
    body = call.json()
    project = call.project_or_none or call.find_project(str(body.get("projectId") or ""))
    call.require(Level.CONTRIBUTOR, project)
    name, kind = str(body.get("name") or ""), str(body.get("type") or "projectWiki").lower()
    if not name:
        raise errors.missing_value("wikiCreateParams.name")
    _check_free(project, name)
    if kind == "projectwiki":
        if any(w["type"] == "projectWiki" for w in project["wikis"].values()):
            message = "A project wiki already exists for this project."
            raise errors.ServiceError(409, message, "WikiAlreadyExistsException", namespace=errors.WIKI)
        wiki_id = new_id()
        wiki: Tree = {
            "id": wiki_id,
            "name": name,
            "type": "projectWiki",
            "version": "wikiMaster",
            "repository": wiki_id,
            "mapped": "/",
        }
    else:
        repository = project["repositories"].get(str(body.get("repositoryId") or "").lower())
        if repository is None:
            raise errors.repository_missing(str(body.get("repositoryId")))
        version = str((body.get("version") or {}).get("version") or "")
        if git_store.resolve(repository, version) is None:
            message = f"TF401175:The version descriptor <Branch: {version}> could not be resolved to a version in the repository {repository['name']}"
            raise errors.not_found(message, "GitUnresolvableToCommitException", errors.GIT)
        wiki = {
            "id": new_id(),
            "name": name,
            "type": "codeWiki",
            "version": version,
            "repository": repository["id"],
            "mapped": str(body.get("mappedPath") or "/"),
        }
    wiki |= {"pages": {}}
    project["wikis"][wiki["id"]] = wiki
    if wiki["type"] == "codeWiki":
        _import(call, project, wiki)
    return Reply(wiki_json(call, project, wiki), 201)


def _import(call: Call, project: Tree, wiki: Tree) -> None:
    repository = project["repositories"][wiki["repository"]]
    files = git_store.files_of(repository, git_store.resolve(repository, wiki["version"]))
    root = wiki["mapped"].rstrip("/") + "/"
    for path, blob_id in files.items():
        if path.startswith(root) and path.endswith(".md"):
            name = "/" + path[len(root) : -3].replace("-", " ")
            _store(call, wiki, name, git_store.blob(repository, blob_id).decode("utf-8", "replace"))


@serves("DELETE", "wiki/wikis/{wikiIdentifier}")
def delete_wiki(call: Call) -> Tree:
    """Delete a wiki that was published from code; a project's own goes with its repository."""
    project, wiki = _wiki_of(call)
    if wiki["type"] == "projectWiki":
        message = "The wiki delete operation is not supported on wikis of type 'ProjectWiki'."
        raise errors.invalid(message, "WikiOperationNotSupportedException", errors.WIKI)
    del project["wikis"][wiki["id"]]
    return wiki_json(call, project, wiki)


@serves("PATCH", "wiki/wikis/{wikiIdentifier}")
def update_wiki(call: Call) -> Tree:
    """Rename a wiki."""
    project, wiki = _wiki_of(call)
    name = str(call.json().get("name") or wiki["name"])
    _check_free(project, name, own=wiki)
    wiki["name"] = name
    return wiki_json(call, project, wiki)


def _clean(path: str) -> str:
    return "/" + path.strip("/")


def _store(call: Call, wiki: Tree, path: str, content: str) -> Tree:
    page: Tree = wiki["pages"].setdefault(
        path, {"id": call.service.number(call.org, "wiki-page"), "path": path, "order": len(wiki["pages"])}
    )
    page["content"] = content
    page["etag"] = git_store.object_id("blob", content.encode())
    page["changed"] = call.stamp()
    return page


def page_json(call: Call, project: Tree, wiki: Tree, path: str, depth: int, content: bool) -> Tree:
    """A page as answered; the root need not have been written."""
    page = wiki["pages"].get(path, {"order": 0, "content": ""})
    prefix = path.rstrip("/") + "/"
    inside = sorted(p for p in wiki["pages"] if p.startswith(prefix) and "/" not in p[len(prefix) :] and p != path)
    quoted = quote(path, safe="")
    answer: Tree = {
        "path": path,
        "order": page["order"],
        "isParentPage": bool(inside),
        "gitItemPath": path.replace(" ", "-") + ".md" if path != "/" else "/",
        "subPages": [page_json(call, project, wiki, p, depth - 1, content) for p in inside] if depth > 0 else [],
        "url": call.url(project["id"], "_apis/wiki/wikis", wiki["id"], "pages") + f"/{quoted}",
        "remoteUrl": call.url(project["name"], "_wiki/wikis", wiki["id"]) + f"?pagePath={quoted}",
    }
    if "id" in page:
        answer["id"] = page["id"]
    if content:
        answer["content"] = page["content"]
    return answer


def _missing_page(path: str) -> errors.ServiceError:
    message = f"Wiki page ‘{path}’ could not be found. Ensure that the path of the page is correct and the page exists."  # noqa: RUF001
    return errors.not_found(message, "WikiPageNotFoundException", errors.WIKI)


def _answer(call: Call, project: Tree, wiki: Tree, path: str, status: int = 200, *, content: bool = True) -> Reply:
    level = _LEVELS.get(call.text("recursionLevel", "none").lower(), 0)
    page = wiki["pages"].get(path)
    if call.accept.startswith("text/plain") and page:
        return Reply(page["content"], 200, {"ETag": f'"{page["etag"]}"'}, media_type="text/plain")
    headers = {"ETag": f'"{page["etag"]}"'} if page else {}
    return Reply(page_json(call, project, wiki, path, level, content), status, headers)


@serves("GET", _PAGES)
def get_page(call: Call) -> Reply:
    """A page with its ETag."""
    project, wiki = _wiki_of(call)
    path = _clean(call.values.get("path") or call.text("path", "/"))
    if path != "/" and path not in wiki["pages"]:
        raise _missing_page(path)
    return _answer(call, project, wiki, path, content=call.flag("includeContent"))


def _page_by_id(call: Call, wiki: Tree) -> str:
    wanted = call.value("id")
    path = next((p for p, page in wiki["pages"].items() if str(page["id"]) == wanted), None)
    if path is None:
        raise _missing_page(wanted)
    return path  # type: ignore[no-any-return]


@serves("GET", _BY_ID)
def get_page_by_id(call: Call) -> Reply:
    """A page by number."""
    if "id" not in call.values:
        return get_page(call)
    project, wiki = _wiki_of(call)
    return _answer(call, project, wiki, _page_by_id(call, wiki), content=call.flag("includeContent"))


def _guard(call: Call, wiki: Tree, path: str) -> None:
    expected = call.headers.get("if-match", "").strip('"')
    held = wiki["pages"].get(path)
    if held is not None and not expected:
        message = f"The page '{path}' specified in the add operation already exists in the wiki. Please specify a new page path."
        raise errors.ServiceError(409, message, "WikiPageAlreadyExistsException", namespace=errors.WIKI)
    if expected and (held is None or expected != held["etag"]):
        message = f"The page '{path}' has been updated by another client: the supplied ETag does not match."
        raise errors.ServiceError(412, message, "WikiPageHasConflictsException", namespace=errors.WIKI)


@serves("PUT", _PAGES)
def put_page(call: Call) -> Reply:
    """Create a page, or with If-Match replace it."""
    project, wiki = _wiki_of(call)
    path = _clean(call.values.get("path") or call.text("path"))
    if path == "/":
        raise errors.missing_value("path")
    _guard(call, wiki, path)
    content = call.json().get("content")
    if not isinstance(content, str):
        raise errors.missing_value("content")
    parent = path.rsplit("/", 1)[0]
    if parent and parent not in wiki["pages"]:
        message = f"The ancestor page of '{path}' does not exist: create '{parent}' first."
        raise errors.not_found(message, "WikiAncestorPageNotFoundException", errors.WIKI)
    created = path not in wiki["pages"]
    _store(call, wiki, path, content)
    return _answer(call, project, wiki, path, 201 if created else 200)


@serves("PUT", _BY_ID)
def put_page_without_path(call: Call) -> Reply:
    """The same; a path of digits looks like a number."""
    call.values.pop("id", None)
    return put_page(call)


@serves("PATCH", _BY_ID)
def update_page(call: Call) -> Reply:
    """Replace a page by number; needs If-Match."""
    project, wiki = _wiki_of(call)
    path = _page_by_id(call, wiki)
    _guard(call, wiki, path)
    _store(call, wiki, path, str(call.json().get("content") or ""))
    return _answer(call, project, wiki, path)


def _delete(call: Call, project: Tree, wiki: Tree, path: str) -> Reply:
    if path not in wiki["pages"]:
        raise _missing_page(path)
    answer = page_json(call, project, wiki, path, 0, False)
    for doomed in [p for p in wiki["pages"] if p == path or p.startswith(path + "/")]:
        del wiki["pages"][doomed]
    return Reply({**answer, "content": ""})


@serves("DELETE", _PAGES)
def delete_page(call: Call) -> Reply:
    """Delete a page with those below it."""
    project, wiki = _wiki_of(call)
    return _delete(call, project, wiki, _clean(call.values.get("path") or call.text("path")))


@serves("DELETE", _BY_ID)
def delete_page_by_id(call: Call) -> Reply:
    """Delete a page by number."""
    if "id" not in call.values:
        return delete_page(call)
    project, wiki = _wiki_of(call)
    return _delete(call, project, wiki, _page_by_id(call, wiki))


@serves("POST", "wiki/wikis/{wikiIdentifier}/pagesBatch", Level.READER)
def pages_batch(call: Call) -> list[Tree]:
    """References to the pages of a wiki."""
    _, wiki = _wiki_of(call)
    return [{"id": p["id"], "path": path} for path, p in wiki["pages"].items()][: int(call.json().get("top") or 100)]
