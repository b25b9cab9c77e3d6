"""The pages about webhooks: what they are, what they sent, and what came back."""

from __future__ import annotations

import time

HTML = {"Accept": "text/html"}


def test_hooks_and_their_deliveries(sandbox, receiver):
    repo = sandbox.repo()
    config = {"url": receiver.url, "content_type": "json", "secret": "s3cret"}
    hook = repo.create_hook("web", config, ["issues"])
    receiver.wait(1)
    deadline = time.monotonic() + 5
    while not list(repo.get_hook_deliveries(hook.id)) and time.monotonic() < deadline:
        time.sleep(0.01)
    delivery = repo.get_hook_deliveries(hook.id)[0]
    quiet = repo.create_hook("web", {"url": "http://127.0.0.1:9/", "content_type": "json"}, ["push"], active=False)
    base = f"/octo/{repo.name}/settings/hooks"
    with sandbox.http(None, **HTML) as http:
        listed = http.get(base).text
        assert f"{base}/{hook.id}" in listed
        assert "off" in listed
        page = http.get(f"{base}/{hook.id}").text
        assert "yes, with a secret" in page
        assert f"{base}/{hook.id}/deliveries/{delivery.id}" in page
        assert "s3cret" not in page
        assert "it has no secret" in http.get(f"{base}/{quiet.id}").text
        shown = http.get(f"{base}/{hook.id}/deliveries/{delivery.id}").text
        assert "X-Hub-Signature-256" in shown
        assert "taken" in shown
        assert "s3cret" not in shown
        assert f'href="{base}/{hook.id}"' in shown
        for path in (f"{base}/{hook.id}/deliveries/1", f"{base}/1", "/octo/none/settings/hooks"):
            assert http.get(path).status_code == 404
    hook.delete()


def test_an_organisations_hook_that_nobody_hears(sandbox):
    owner = sandbox.github().get_organization("octo")
    hook = owner.create_hook("web", {"url": "http://127.0.0.1:9/", "content_type": "json"}, ["issues"], active=True)
    deadline = time.monotonic() + 5
    with sandbox.http() as http:
        while not http.get(f"/orgs/octo/hooks/{hook.id}/deliveries").json() and time.monotonic() < deadline:
            time.sleep(0.01)
        delivery = http.get(f"/orgs/octo/hooks/{hook.id}/deliveries").json()[0]
        assert http.get(f"/orgs/octo/hooks/{hook.id}/deliveries/{delivery['id']}").json()["event"] == "ping"
        assert http.patch(f"/orgs/octo/hooks/{hook.id}", json={"active": False}).json()["active"] is False
        assert http.get(f"/orgs/octo/hooks/{hook.id}/config").json()["content_type"] == "json"
    base = f"/organizations/octo/settings/hooks/{hook.id}"
    with sandbox.http(None, **HTML) as http:
        assert f"{base}/deliveries/{delivery['id']}" in http.get(base).text
        assert "The target did not answer" in http.get(f"{base}/deliveries/{delivery['id']}").text
        assert http.get("/organizations/octo/settings/hooks/1").status_code == 404
        assert http.get("/organizations/none/settings/hooks/1").status_code == 404
        assert http.get("/organizations/none/settings/apps/new").status_code == 404
    hook.delete()


def test_runs_of_workflows_have_pages(sandbox):
    repo = sandbox.repo()
    repo.create_file(".github/workflows/ci.yml", "feat: build <it>", "name: Build\non: push\n")
    (run,) = repo.get_workflow_runs()
    with sandbox.http(None, **HTML) as http:
        actions = http.get(f"/octo/{repo.name}/actions").text
        assert f"/octo/{repo.name}/actions/runs/{run.id}" in actions
        page = http.get(run.html_url.removeprefix(sandbox.url)).text
        assert "push to main" in page
        assert "feat: build &lt;it&gt;" in page
        assert "stays queued" in page
        assert http.get(f"/octo/{repo.name}/actions/runs/99999").status_code == 404
        assert http.get("/octo/none/actions/runs/1").status_code == 404


def test_pages_of_what_is_empty_binary_or_gone(sandbox):
    repo = sandbox.repo()
    repo.create_file("pic.bin", "Add", b"\0\1")
    repo.create_file("docs/a/deep.txt", "Add", "x")
    bare = sandbox.github().get_organization("octo").create_repo(sandbox.name())
    base = f"/octo/{repo.name}"
    with sandbox.http(None, **HTML) as http:
        assert "A binary file" in http.get(f"{base}/blob/main/pic.bin").text
        page = http.get(base).text
        # Folders come first, as people expect.
        assert page.index("docs") < page.index("pic.bin") < page.index("README.md")
        assert "No files yet" in http.get(f"/octo/{bare.name}").text
        tail = ("tree/none", "blob/main/docs", "pull/1", "issues/1/x", "wombat")
        gone = [f"{base}/{path}" for path in tail]
        for area in ("", "/issues", "/pulls", "/issues/1", "/pull/1", "/actions", "/branches", "/rules", "/issues/new"):
            gone.append(f"/octo/none{area}")
        assert {path: http.get(path).status_code for path in gone} == dict.fromkeys(gone, 404)
        assert http.get(f"{base}/raw/main/none").status_code == 404
        assert http.get("/octo/none/raw/main/x").status_code == 404
