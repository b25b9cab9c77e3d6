Feature: Newer templates are offered to existing repositories
  A team keeps what it changed, gets what the template changed, and decides itself.

  Scenario Outline: What the team and the template changed arrives together, in one pull request
    Given the project "<name>" on <forge> was made from an older template
    And the team added a line to the end of "README.md"
    When a look at its update is taken
    Then the look tells the fate of each file and neither forge saw a write
    When its update is offered
    Then one pull request brings both changes and the main branch is as it was
    And the record says that it was offered
    When its update is offered
    Then the outcome is "unchanged" and neither forge saw a write
    When the team merges it
    And its update is offered
    Then the outcome is "up_to_date" and neither forge saw a write
    And the project has the newest template

    Examples:
      | name             | forge  |
      | Grown On GitHub  | GitHub |

    @slow
    Examples: The same on the other forge
      | name             | forge        |
      | Grown On Azure   | Azure DevOps |

  @slow
  Scenario Outline: A conflict is marked and explained, and the team has the last word
    Given the project "<name>" on <forge> was made from an older template
    And the team changed the line of "README.md" that the template changed
    When its update is offered
    Then the pull request is a draft that marks the conflict and explains it
    When the team adds a file to the main branch
    And its update is offered
    Then the outcome is "revised" and the same pull request stands on the newer head
    When the team closes it
    And its update is offered
    Then the outcome is "declined" and neither forge saw a write
    When its update is offered with force
    Then the outcome is "offered" and there is one open pull request

    Examples:
      | name               | forge        |
      | Divided On GitHub  | GitHub       |
      | Divided On Azure   | Azure DevOps |

  @slow
  Scenario: Every project of a connection is offered the update
    Given the project "Grown Everywhere" on both forges was made from an older template
    When updates are offered to every project of the connection
    Then the run tells the outcome of each repository, and those of "Grown Everywhere" are "offered"
