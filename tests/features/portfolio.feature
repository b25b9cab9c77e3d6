Feature: Many projects from one file
  A team sends one file; every project is made by a run of its own, and what fails is told by project.

  @slow
  Scenario: One project of three cannot be made, and the others are
    Given "Fleet Ledger" is taken on GitHub
    When somebody sends a file with "Fleet Desk", "Fleet Ledger" and "Fleet Shop" and an epic across "Fleet Desk" and "Fleet Shop"
    Then the portfolio shows "Fleet Ledger" waiting for a decision while the others are completed
    And its page shows each project with its state, and what is waited for
    And the epic stands once with its features in "Fleet Desk" and "Fleet Shop"
    When a call decides to "compensate" "Fleet Ledger"
    Then the portfolio ends as "partly_failed" with "Fleet Ledger" named alone
    And the records of the projects and of the tenant hold the file
    When somebody clears the way and sends the same file again
    Then only "Fleet Ledger" is made, and the portfolio ends as "completed"
    When somebody sends the same file again
    Then the portfolio ends as "completed", nothing was written to a forge, and every project is unchanged

  Scenario: A file at fault is refused whole, and a dry run changes nothing
    When somebody sends a file whose fields are wrong in three places
    Then each of the three is named with its path, and nothing was begun
    When somebody asks what a file with "Dry Desk" and "Dry Shop" would do
    Then each is answered with its steps, and nothing was written to a forge

  @slow
  Scenario: An epic leads from project to project
    When somebody sends a file with an epic across "Link Desk", "Link Shop" and, on GitHub alone, "Link Site"
    Then the epics on boards are related to one another and link the issue, which lists them
    When somebody sends the same file again
    Then the portfolio ends as "completed", nothing was written to a forge, and every project is unchanged

  @slow
  Scenario: A large dry run goes on in the background
    When somebody asks what a file with six projects would do
    Then the answer says where to look, and all six are looked at in the end
