Feature: Every pull request is held to the definition of done, on both forges
  Who opens a pull request is told what is missing and what to do about it; who merges can trust what was let through.

  Background:
    Given reviews block in the project "Reviewed Shop"

  Scenario Outline: A careless change is blocked with remedies, mended, approved and merged
    When Casey offers a change with a leaked key on <forge>, with no test and no line in the changelog
    Then it is blocked by "no_secrets", "unit_tests_accompany_code" and "changelog_has_entry", each with its remedy
    And the key stands in no comment
    When Casey takes the key out, adds tests and writes the line in the changelog
    Then nothing of that blocks any more, but "change_is_approved"
    When Mona reads it and approves
    Then the check is green and the change is merged without anybody pressing a button
    And there is exactly one summary comment, about the newest head
    And no remark was made twice
    And the record of "Reviewed Shop" holds the verdicts and the merge on <forge>, and verifies

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |
