Feature: A request becomes a project on both forges
  A team asks with an issue or a call, sees what will happen and what happened, and can trust it.

  Scenario Outline: An issue becomes a project in each process
    When Casey opens a request for "<name>" with the process "<process>"
    Then the issue is answered within seconds with a link to the status page
    And the project "<name>" is made, every step read back
    And its backlog is a tree of <levels>
    And the issue is answered with what was made and the record's root

    Examples:
      | name           | process | levels                                    |
      | Capable Shop   | CMMI    | Epic, Feature, Requirement, Task          |
      | Basic Shop     | Basic   | Epic, Issue, Task                         |

    @slow
    Examples: The processes in between
      | name           | process | levels                                    |
      | Agile Shop     | Agile   | Epic, Feature, User Story, Task           |
      | Scrummy Shop   | Scrum   | Epic, Feature, Product Backlog Item, Task |

  Scenario: What is missing or wrong is named, and an edit is enough
    When Casey opens a request for "Bad/Name" without an owner
    Then the issue is answered with the fields "Project name" and "Owner" and an example of each
    When Casey edits the request to "Good Name"
    Then the project "Good Name" is made, every step read back

  Scenario: An owner nobody knows is named before anything is made
    When Casey opens a request for "Unowned Shop" with the owner "noboddy"
    Then the issue is answered with the fields "Owner" alone
    And there is no project "Unowned Shop" on either forge
    When the plan for "Unowned Shop" is asked for with the owner "nobody@acme.example"
    Then it is refused with a problem that names "owner" alone

  Scenario: A team or an address of somebody both forges know may own a project
    When the plan for "Team Shop" is asked for with the owner "acme/builders"
    Then every step would make something
    When the plan for "Mail Shop" is asked for with the owner "casey@acme.example"
    Then every step would make something

  @slow
  Scenario: A history that was replaced is found, and never pushed over
    Given the project "Rewritten Shop" was made by a call
    When Mona replaces the history of its main branch on GitHub
    Then a look at "Rewritten Shop" says of "github.scaffold" which commit is lost and how to get it back
    And the history Mona pushed is as it was

  Scenario: A stranger is refused politely and nothing is made
    When a stranger opens a request for "Not Yours"
    Then the issue is answered that the stranger is not on the list
    And there is no project "Not Yours" on either forge

  Scenario: The same request again changes nothing
    Given the project "Twice Asked" was made by a call
    When the same call is made again
    Then every step is confirmed and neither forge saw a write

  @slow
  Scenario: A project has further repositories, each on the forges it was asked for
    When the plan for "Many Shops" with a React repository "web-shop" and notes on GitHub alone is asked for
    Then every step would make something
    And there is no project "Many Shops" on either forge
    Given the project "Many Shops" with a React repository "web-shop" and notes on GitHub alone was made by a call
    Then "web-shop" is a protected repository of "Many Shops" on both forges, of the same files
    And "many-shops-notes" is a protected repository on GitHub alone, with a README
    And each repository of "Many Shops" on GitHub calls Doneright once, and Azure DevOps once for each event
    When the same call is made again
    Then every step is confirmed and neither forge saw a write

  Scenario: A dry run shows the plan and changes nothing
    When the plan for "Only Looking" is asked for
    Then the plan names the steps of both forges
    And every step would make something
    And there is no project "Only Looking" on either forge

  Scenario: A dry run of a project that is there says that nothing would change
    Given the project "Looked At" was made by a call
    When the plan for "Looked At" is asked for
    Then no step would make anything and neither forge saw a write

  Scenario: What drifted is found and healed
    Given the project "Drifty Shop" was made by a call
    When Mona removes its webhook on GitHub
    Then a look at "Drifty Shop" finds that "github.hook" has drifted
    When "Drifty Shop" is reconciled
    Then its webhook is back and nothing else was written

  Scenario: Somebody else's repository is never taken over
    Given a repository "taken-name" that Mona made
    When a call asks for "Taken Name"
    Then the step "github.repository" fails and says what to do
    And the steps after it on GitHub are skipped, and Azure DevOps is complete
    And Mona's repository is as it was

  Scenario: A paused connection holds requests and forgets none
    Given the connection is paused
    When Casey opens a request for "Patient Shop" with the process "Basic"
    Then its delivery is held
    When the connection is resumed
    Then the project "Patient Shop" is made, every step read back

  Scenario: In advisory mode the plan is shown and nothing is made
    Given the connection is in advisory mode
    When Casey opens a request for "Advised Shop" with the process "Agile"
    Then the issue is answered with the plan alone
    And there is no project "Advised Shop" on either forge

  Scenario: A request by a call with wrong fields is refused with every one of them
    When a call asks for a project with a wrong name, stack and reviewers
    Then it is refused with a problem that names "name", "stack" and "rules.minimum_reviewers"

  Scenario: The record proves what happened
    Given the project "On Record" was made by a call
    When its record is read page by page
    Then it holds every step once, in order, and verifies
