Feature: Every pull request is held to the definition of done, on both forges
  Who opens a pull request is told what is missing and what to do about it; who merges can trust what was let through.

  Background:
    Given reviews block in the project "Reviewed Shop"

  @slow
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

  @slow
  Scenario Outline: A connection that only advises blocks nothing, and says so
    Given the connection only advises
    When Casey offers a change without a test on <forge>
    Then the summary names "unit_tests_accompany_code" and says that nothing is blocked
    And the check is green
    And Mona can merge it by hand

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: A question is answered where it was asked
    Given Casey offered a change with a leaked key on <forge>, and it was blocked
    When Casey asks "/doneright explain no_secrets" beside the code
    Then the answer stands in the same discussion, and tells the reason, what was found and what to do
    And the answer started no further round of the review

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: An approver lets a criterion go for a while, and nobody else does
    Given Casey offered a change with a leaked key on <forge>, and it was blocked
    When Casey comments "/doneright waive no_secrets until TOMORROW because it is only a key of the tests"
    Then Casey is answered "the author of a pull request is never its approver"
    When the stranger says "/doneright waive no_secrets until TOMORROW because it is only a key of the tests"
    Then the stranger is answered "may not write to"
    And "no_secrets" still blocks
    When Mona comments "/doneright waive no_secrets until TOMORROW because it is only a key of the tests"
    Then Mona is answered "nothing is blocked by"
    And "no_secrets" blocks no more, and the summary says who let it go, until when and why

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: What no gate can see is known by the word of whoever may give it
    Given Casey offered a change with a leaked key on <forge>, and it was blocked
    When Casey comments "/doneright attest edge_cases_are_handled https://example.com/notes/42"
    Then Casey is answered "the author of a pull request is never its reviewer"
    When Mona comments "/doneright attest edge_cases_are_handled https://example.com/notes/42"
    Then Mona is answered "On record as reviewer"
    And "edge_cases_are_handled" is met by the word of Mona
    And the record of "Reviewed Shop" holds that word and the refusal

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: The policy comes from the branch a change goes to, never from the change
    When Casey offers a change on <forge> that brings a policy which asks for a ticket in the name of the branch
    Then that policy has no say
    When Casey offers a change on <forge> to a branch that holds this policy, and takes it away
    Then that policy decides

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: What happens to the branch while a review is under way leaves one voice about the newest head
    Given <forge> is slow to show pull requests
    When Casey offers a change with a leaked key on <forge>, and while it is looked at <event>
    Then the review of the first head ends quietly as "superseded"
    And nothing was said about the first head
    And there is exactly one summary comment, about the newest head

    Examples:
      | forge        | event                  |
      | GitHub       | pushes the mended code |
      | Azure DevOps | pushes the mended code |
      | GitHub       | rewrites the branch    |
      | Azure DevOps | rewrites the branch    |

  @slow
  Scenario Outline: A branch that is deleted under a review breaks nothing
    Given <forge> is slow to show pull requests
    When Casey offers a change with a leaked key on <forge>, and while it is looked at deletes the branch
    Then the review ends without having broken
    And there is at most one summary comment

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: Events that arrive twice and in another order end in one summary about the newest head
    Given <forge> sends its events twice and in another order
    When Casey offers a change with a leaked key on <forge> and pushes twice
    Then the verdict about the newest head is there
    And there is exactly one summary comment, about the newest head
    And no remark was made twice

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: Whatever happens while the verdict is told, it stands there once
    Given <forge> <trouble> when it is told the verdict
    When Casey offers a change with a leaked key on <forge>
    Then the check blocks
    And there is exactly one summary comment, about the newest head
    And no remark was made twice
    And the trouble was met

    Examples:
      | forge        | trouble                |
      | GitHub       | is down                |
      | GitHub       | asks for patience      |
      | GitHub       | loses its answers      |
      | Azure DevOps | is down                |
      | Azure DevOps | asks for patience      |
      | Azure DevOps | loses its answers      |

  @slow
  Scenario Outline: What the last of 3,000 files leaks is found
    When Casey offers a change of 3000 files on <forge>, and the last leaks a key
    Then the verdict counts 3000 files and is in the way for "no_secrets"
    And there is exactly one summary comment, about the newest head

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: A change of 10 MB is looked at to its end
    When Casey offers a change of 10 MB on <forge>, and the last file leaks a key
    Then the verdict counts 24 files and is in the way for "no_secrets"
    And there is exactly one summary comment, about the newest head

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario Outline: Pictures, other bytes and files that moved are looked at as far as anybody can
    When Casey offers a change on <forge> with a picture, bytes of no kind and a file that moved
    Then the bytes of no kind keep the verdict on "no_secrets" open, and the picture does not
    And there is exactly one summary comment, about the newest head

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario: A change from a fork gets no say and no merge
    # Azure Repos: a fork lies in the same organisation, and whoever may make one there is known to it.
    When a stranger offers a change with a policy of its own from a fork on GitHub
    Then it is reviewed like any other, and the policy of the fork has no say
    When Mona approves it and lets go whatever stands in its way
    Then the check is green
    And nobody has merged it, and nothing was written to the fork

  @slow
  Scenario Outline: What programs and Doneright itself write starts nothing
    Given Casey offered a change with a leaked key on <forge>, and it was blocked
    When Doneright's own account writes "/doneright review" as its own words
    Then nothing follows from it
    And no further round was asked for

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |

  @slow
  Scenario: A comment by a bot starts nothing
    Given Casey offered a change with a leaked key on GitHub, and it was blocked
    When a bot comments "/doneright review"
    Then nothing follows from it
    And no further round was asked for

  @slow
  Scenario Outline: A policy is tried on the pull requests there are before it is set
    Given Casey offered a change with a leaked key on <forge>, and it was blocked
    When a call tries a policy that enforces what was only advised
    Then it is answered at once with an address to look at
    And there stands that the change would be blocked by that as well
    And nothing has changed for the change itself

    Examples:
      | forge        |
      | GitHub       |
      | Azure DevOps |
