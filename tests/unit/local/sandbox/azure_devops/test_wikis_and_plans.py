"""Wikis of both kinds keep pages behind ETags; test plans, suites and cases hang together with their work items."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import ZERO, change, fields, push, refused

pytestmark = pytest.mark.stack


def test_pages_of_a_project_wiki(clients: Any, raw: Any, connect: Any) -> None:
    wiki, project = clients.get_wiki_client(), clients.get_core_client().get_project("Shop").id
    made = wiki.create_wiki({"name": "Docs", "type": "projectWiki", "projectId": project})
    assert (made.type, made.mapped_path) == ("projectWiki", "/")
    refused(lambda: wiki.create_wiki({"name": "docs", "type": "projectWiki"}, "Shop"), "already exists")
    refused(
        lambda: wiki.create_wiki({"name": "More", "type": "projectWiki"}, "Shop"), "already exists for this project"
    )
    refused(lambda: wiki.create_wiki({"type": "projectWiki"}, "Shop"), "wikiCreateParams.name")
    home = wiki.create_or_update_page({"content": "# Home"}, "Shop", "Docs", "/Home & away #1", None)
    assert home.page.url.endswith("/pages/%2FHome%20%26%20away%20%231")
    child = wiki.create_or_update_page({"content": "deep"}, "Shop", "Docs", "/Home & away #1/Child", None)
    refused(lambda: wiki.create_or_update_page({"content": "x"}, "Shop", "Docs", "/No/Child", None), "ancestor page")
    refused(lambda: wiki.create_or_update_page({}, "Shop", "Docs", "/New", None), "content")
    refused(lambda: wiki.create_or_update_page({"content": "x"}, "Shop", "Docs", "/", None), "path")
    tree = wiki.get_page("Shop", "Docs", "/", recursion_level="full", include_content=True).page
    assert [(p.path, [c.path for c in p.sub_pages]) for p in tree.sub_pages] == [
        ("/Home & away #1", ["/Home & away #1/Child"])
    ]
    one = wiki.get_page("Shop", "Docs", "/", recursion_level="oneLevelPlusNestedEmptyFolders").page.sub_pages
    assert [(p.path, p.is_parent_page, p.sub_pages) for p in one] == [("/Home & away #1", True, [])]
    assert b"".join(wiki.get_page_text("Shop", "Docs", "/Home & away #1/Child")) == b"deep"
    by_id = wiki.get_page_by_id("Shop", "Docs", child.page.id, include_content=True)
    assert (by_id.page.content, by_id.eTag) == ("deep", child.eTag)
    changed = wiki.update_page_by_id(
        {"content": "deeper"},
        "Shop",
        "Docs",
        child.page.id,
        child.eTag[0] if isinstance(child.eTag, list) else child.eTag,
    )
    assert changed.page.content == "deeper"
    refused(lambda: wiki.update_page_by_id({"content": "x"}, "Shop", "Docs", child.page.id, '"0"'), "ETag")
    refused(lambda: wiki.get_page_by_id("Shop", "Docs", 9999), "could not be found")
    batch = wiki.get_pages_batch({"top": 1}, "Shop", "Docs")
    assert [p.path for p in batch] == ["/Home & away #1"]
    wiki.create_or_update_page({"content": "n"}, "Shop", "Docs", "/2030", None)
    assert wiki.get_page("Shop", "Docs", "/2030", include_content=True).page.content == "n"
    wiki.delete_page_by_id("Shop", "Docs", wiki.get_page("Shop", "Docs", "/2030").page.id)
    wiki.delete_page("Shop", "Docs", "/Home & away #1")
    refused(lambda: wiki.get_page("Shop", "Docs", "/Home & away #1/Child"), "could not be found")
    refused(lambda: wiki.delete_page("Shop", "Docs", "/Home"), "could not be found")
    reader = connect("reader").clients_v7_1.get_wiki_client()
    refused(lambda: reader.create_or_update_page({"content": "x"}, "Shop", "Docs", "/Mine", None), "not authorized")
    raw.no(403, "not authorized", "DELETE", f"/_apis/wiki/wikis/{made.id}", who="reader")


def test_a_code_wiki_is_a_folder_of_a_branch(clients: Any) -> None:
    git, wiki = clients.get_git_client(), clients.get_wiki_client()
    repository = git.create_repository({"name": "handbook"}, "Formal")
    project = repository.project.id
    files = [
        change("add", "/docs/Getting-started.md", "# Go"),
        change("add", "/docs/pic.png", "x"),
        change("add", "/top.md", "t"),
    ]
    push(git, repository, "main", ZERO, *files, project="Formal")
    wanted = {
        "name": "Book",
        "type": "codeWiki",
        "repositoryId": repository.id,
        "mappedPath": "/docs",
        "projectId": project,
    }
    refused(lambda: wiki.create_wiki({**wanted, "version": {"version": "none"}}, "Formal"), "TF401175")
    refused(lambda: wiki.create_wiki({**wanted, "repositoryId": "none"}, "Formal"), "TF401019")
    made = wiki.create_wiki({**wanted, "version": {"version": "main"}}, "Formal")
    assert (made.type, made.mapped_path, made.versions[0].version) == ("codeWiki", "/docs", "main")
    pages = wiki.get_page("Formal", "Book", "/", recursion_level="oneLevel").page.sub_pages
    assert [(p.path, p.git_item_path) for p in pages] == [("/Getting started", "/Getting-started.md")]
    second = wiki.create_wiki({**wanted, "name": "Second", "mappedPath": "/", "version": {"version": "main"}}, "Formal")
    assert "/top" in [p.path for p in wiki.get_page("Formal", "Second", "/", recursion_level="full").page.sub_pages]
    refused(lambda: wiki.update_wiki({"name": "book"}, second.id, "Formal"), "already exists")
    assert wiki.update_wiki({"name": "Other"}, second.id, "Formal").name == "Other"
    assert [w.name for w in wiki.get_all_wikis("Formal")] == ["Book", "Other"]
    assert wiki.get_wiki("book").id == made.id
    wiki.delete_wiki(second.id, "Formal")
    refused(lambda: wiki.get_wiki(second.id, "Formal"), "Wiki not found")


def test_plans_suites_and_cases(clients: Any, raw: Any) -> None:
    plans, tracker = clients.get_test_plan_client(), clients.get_work_item_tracking_client()
    refused(lambda: plans.create_test_plan({"areaPath": "Shop"}, "Shop"), "name")
    plan = plans.create_test_plan({"name": "Release 1", "description": "all of it", "iteration": "Shop"}, "Shop")
    assert plans.get_test_plan_by_id("Shop", plan.id).root_suite.name == "Release 1"
    assert [p.id for p in plans.get_test_plans("Shop")] == [plan.id]
    story = tracker.create_work_item(fields(System_Title="Pay"), "Shop", "User Story")
    static = plans.create_test_suite({"name": "Smoke", "suiteType": "staticTestSuite"}, "Shop", plan.id)
    needed = plans.create_test_suite(
        {"suiteType": "requirementTestSuite", "requirementId": story.id, "parentSuite": {"id": static.id}},
        "Shop",
        plan.id,
    )
    assert (needed.name, needed.parent_suite.id, needed.requirement_id) == (f"{story.id} : Pay", static.id, story.id)
    query = plans.create_test_suite(
        {"name": "Q", "suiteType": "dynamicTestSuite", "queryString": "SELECT [System.Id] FROM WorkItems"},
        "Shop",
        plan.id,
    )
    assert query.query_string.startswith("SELECT")
    assert [s.id for s in plans.get_test_suites_for_plan("Shop", plan.id)] == [
        plan.root_suite.id,
        static.id,
        needed.id,
        query.id,
    ]
    assert plans.get_test_suite_by_id("Shop", plan.id, static.id).has_children
    refused(lambda: plans.create_test_suite({"name": "x", "parentSuite": {"id": 9999}}, "Shop", plan.id), "9999")
    refused(lambda: plans.get_test_suite_by_id("Shop", plan.id, 9999), "Test suite 9999")
    refused(lambda: plans.get_test_plan_by_id("Shop", 9999), "Test plan 9999")
    cases = [tracker.create_work_item(fields(System_Title=f"case {n}"), "Shop", "Test Case") for n in range(3)]
    route = f"/Shop/_apis/testplan/Plans/{plan.id}/Suites/{static.id}/TestCase"
    added = raw.ok("POST", route, [{"workItem": {"id": c.id}} for c in (*cases, cases[0])])
    assert [c["order"] for c in added["value"]] == [0, 1, 2, 0]
    raw.no(400, "is not a test case", "POST", route, [{"workItem": {"id": story.id}}])
    raw.no(404, "TF401232", "POST", route, [{}])
    listed = plans.get_test_case_list("Shop", plan.id, static.id)
    assert [c.work_item.name for c in listed] == ["case 0", "case 1", "case 2"]
    assert [c.work_item.id for c in plans.get_test_case("Shop", plan.id, static.id, str(cases[1].id))] == [cases[1].id]
    tracker.delete_work_item(cases[2].id)
    assert len(plans.get_test_case_list("Shop", plan.id, static.id)) == 2
    tracker.restore_work_item({"isDeleted": False}, cases[2].id)
    assert len(plans.get_test_case_list("Shop", plan.id, static.id)) == 3
    plans.remove_test_cases_from_suite("Shop", plan.id, static.id, str(cases[0].id))
    plans.remove_test_cases_list_from_suite("Shop", plan.id, static.id, str(cases[1].id))
    assert [c.work_item.id for c in plans.get_test_case_list("Shop", plan.id, static.id)] == [cases[2].id]
    refused(lambda: tracker.delete_work_item(plan.id), "TF401336")
    refused(lambda: tracker.delete_work_item(static.id), "TF401336")
    refused(lambda: plans.delete_test_suite("Shop", plan.id, plan.root_suite.id), "root suite")
    plans.delete_test_suite("Shop", plan.id, static.id)
    assert [s.id for s in plans.get_test_suites_for_plan("Shop", plan.id)] == [plan.root_suite.id, query.id]
    refused(lambda: tracker.get_work_item(needed.id), "TF401232")
    plans.delete_test_plan("Shop", plan.id)
    assert plans.get_test_plans("Shop") == []
    refused(lambda: tracker.get_work_item(plan.id), "TF401232")
