"""Serves files and folders of a version as metadata, text, bytes or archive, and raw blobs and trees."""

from __future__ import annotations

import base64
import io
import mimetypes
import zipfile

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.areas.git_commits import resolved, version_of
from local.sandbox.azure_devops.areas.git_repositories import repository_of
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.git_store import Files
from local.sandbox.azure_devops.service import Tree


def _missing(path: str, repository: Tree, version: str) -> errors.ServiceError:
    message = (
        f"TF401174: The item '{path}' could not be found in the repository '{repository['name']}' at the version "
        f"specified by '<Commit: {version} >'"
    )
    return errors.not_found(message, "GitItemNotFoundException", errors.GIT)


def item_json(call: Call, repository: Tree, commit_id: str, path: str, files: Files) -> Tree:
    """A file or folder without its content."""
    folder = path not in files
    url = call.url(repository["project"], "_apis/git/repositories", repository["id"], "items", path.lstrip("/"))
    answer: Tree = {
        "objectId": git_store.tree_id(files, path) if folder else files[path],
        "gitObjectType": "tree" if folder else "blob",
        "commitId": commit_id,
        "path": path,
        "url": f"{url}?versionType=Commit&version={commit_id}&versionOptions=None",
    }
    if folder:
        answer["isFolder"] = True
    return answer


def below(files: Files, folder: str, level: str) -> list[str]:
    """The paths a recursion level lists, the folder itself first."""
    root = "/" + folder.strip("/")
    prefix = root.rstrip("/") + "/"
    paths = [*git_store.folders(files), *files]
    inside = sorted(p for p in set(paths) if p.startswith(prefix) and p != root)
    if level == "full":
        return [root, *inside]
    if level in {"onelevel", "onelevelplusnestedemptyfolders"}:
        return [root, *(p for p in inside if "/" not in p[len(prefix) :])]
    return [root]


def _archive(repository: Tree, files: Files, folder: str) -> bytes:
    buffer = io.BytesIO()
    prefix = folder.rstrip("/") + "/"
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, blob_id in sorted(files.items()):
            if path == folder or path.startswith(prefix):
                archive.writestr(zipfile.ZipInfo(path.lstrip("/")), git_store.blob(repository, blob_id))
    return buffer.getvalue()


def _text(data: bytes) -> tuple[str, str]:
    try:
        return data.decode("utf-8"), "rawText"
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64Encoded"


@serves("GET", "git/repositories/{repositoryId}/items/{*path}")
def get_items(call: Call) -> object:
    """A file (as JSON, text, bytes or archive) or what is below a folder."""
    repository = repository_of(call)
    scope = call.text("scopePath")
    path = "/" + (call.values.get("path") or call.text("path") or scope).strip("/")
    commit_id = version_of(call, repository)
    files = git_store.files_of(repository, commit_id)
    if path not in files and path not in git_store.folders(files):
        raise _missing(path, repository, commit_id)
    form = call.text("$format").lower() or _form_of(call.accept)
    if form == "zip":
        return Reply(_archive(repository, files, path), media_type="application/zip")
    level = call.text("recursionLevel", "none").lower()
    listing = "path" not in call.query and "path" not in call.values
    if path in files and not listing:
        data = git_store.blob(repository, files[path])
        # Without $format the service sends the bytes unless JSON was asked for.
        if form in {"octetstream", "text"}:
            kind = "text/plain" if form == "text" else "application/octet-stream"
            disposition = (
                {"Content-Disposition": f"attachment; filename={path.rsplit('/', 1)[1]}"}
                if call.flag("download")
                else {}
            )
            return Reply(data, media_type=kind, headers=disposition)
        answer = item_json(call, repository, commit_id, path, files)
        if call.flag("includeContent"):
            answer["content"], kind = _text(data)
        if call.flag("includeContentMetadata"):
            answer["contentMetadata"] = metadata(path, data)
        return answer
    if listing or level != "none":
        return [item_json(call, repository, commit_id, p, files) for p in below(files, path, level)]
    return item_json(call, repository, commit_id, path, files)


def metadata(path: str, data: bytes) -> Tree:
    """What kind of file it is."""
    name = path.rsplit("/", 1)[-1]
    return {
        "fileName": name,
        "extension": name.rsplit(".", 1)[-1] if "." in name else "",
        "contentType": mimetypes.guess_type(name)[0] or "text/plain",
        "isBinary": b"\0" in data,
        "encoding": 65001,
    }


def _form_of(accept: str) -> str:
    kind = accept.split(";", maxsplit=1)[0].strip().lower()
    return {"application/octet-stream": "octetstream", "text/plain": "text", "application/zip": "zip"}.get(kind, "json")


@serves("POST", "git/repositories/{repositoryId}/itemsBatch", Level.READER)
def items_batch(call: Call) -> list[list[Tree]]:
    """Several item listings at once."""
    repository = repository_of(call)
    answers = []
    for wanted in call.json().get("itemDescriptors") or []:
        commit_id = resolved(
            repository, str(wanted.get("version") or ""), str(wanted.get("versionType") or "branch").lower()
        )
        files = git_store.files_of(repository, commit_id)
        path = "/" + str(wanted.get("path") or "").strip("/")
        if path not in files and path not in git_store.folders(files):
            raise _missing(path, repository, commit_id)
        level = str(wanted.get("recursionLevel") or "none").lower()
        answers.append([item_json(call, repository, commit_id, p, files) for p in below(files, path, level)])
    return answers


@serves("GET", "git/repositories/{repositoryId}/blobs/{sha1}")
def get_blob(call: Call) -> object:
    """A blob as metadata, text, bytes or archive."""
    repository = repository_of(call)
    blob_id = call.value("sha1").lower()
    if blob_id not in repository["blobs"]:
        raise _no_object(blob_id)
    data = git_store.blob(repository, blob_id)
    form = call.text("$format").lower() or _form_of(call.accept)
    if form == "zip":
        return Reply(_blobs_archive(repository, [blob_id]), media_type="application/zip")
    if form in {"octetstream", "text"}:
        return Reply(data, media_type="text/plain" if form == "text" else "application/octet-stream")
    url = call.url(repository["project"], "_apis/git/repositories", repository["id"], "blobs", blob_id)
    return {"objectId": blob_id, "size": len(data), "url": url}


@serves("POST", "git/repositories/{repositoryId}/blobs/{sha1}", Level.READER)
def get_blobs(call: Call) -> Reply:
    """Several blobs as an archive, each named by its id."""
    repository = repository_of(call)
    wanted = [str(b).lower() for b in call.json(list)]
    for blob_id in wanted:
        if blob_id not in repository["blobs"]:
            raise _no_object(blob_id)
    return Reply(_blobs_archive(repository, wanted), media_type="application/zip")


def _no_object(object_id: str) -> errors.ServiceError:
    message = f"TF401180: The Git object with ID {object_id} does not exist."
    return errors.not_found(message, "GitObjectDoesNotExistException", errors.GIT)


def _blobs_archive(repository: Tree, blob_ids: list[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for blob_id in dict.fromkeys(blob_ids):
            archive.writestr(zipfile.ZipInfo(blob_id), git_store.blob(repository, blob_id))
    return buffer.getvalue()


@serves("GET", "git/repositories/{repositoryId}/trees/{sha1}")
def get_tree(call: Call) -> Tree:
    """The entries of a tree, of its subtrees too when asked."""
    repository = repository_of(call)
    sha = call.value("sha1").lower()
    if sha in repository["commits"]:
        sha = repository["commits"][sha]["tree"]
    if sha not in repository["trees"]:
        raise _no_object(sha)
    commit_id, folder = repository["trees"][sha]
    files = git_store.files_of(repository, commit_id)
    base = call.url(repository["project"], "_apis/git/repositories", repository["id"])
    entries = []
    level = "full" if call.flag("recursive") else "onelevel"
    for path in below(files, folder, level)[1:]:
        blob_id = files.get(path)
        object_id = blob_id or git_store.tree_id(files, path)
        kind = "blob" if blob_id else "tree"
        entries.append(
            {
                "objectId": object_id,
                "relativePath": path[len(folder.rstrip("/")) + 1 :],
                "mode": "100644" if blob_id else "40000",
                "gitObjectType": kind,
                "url": f"{base}/{kind}s/{object_id}",
                "size": len(git_store.blob(repository, blob_id)) if blob_id else 0,
            }
        )
    return {"objectId": sha, "url": f"{base}/trees/{sha}", "treeEntries": entries, "size": len(entries)}
