Feature: A failed run asks people and leaves nothing half-built
  What cannot be carried out is said where it was asked for, and people decide how it goes on.

  Scenario Outline: What stood in the way is removed, and a comment lets the run go on
    Given "<name>" is taken on <forge>
    When Casey opens a request for "<name>" with the process "Basic"
    Then the issue asks how "<name>" shall go on, names "<step>" and what each command does
    When Mona clears the way and comments "/doneright retry"
    Then the issue says that it is tried again
    And the project "<name>" is made, and what was made before the failure was made once
    And the record of "<name>" holds the question, the decision and both outcomes, and verifies

    Examples:
      | forge        | name         | step                    |
      | GitHub       | Retried One  | Repository acme         |
      | Azure DevOps | Retried Two  | Project Retried Two     |

  @slow
  Scenario Outline: A run is taken back, and only what it made itself
    Given "<name>" is taken on <forge>
    When Casey opens a request for "<name>" with the process "Basic"
    Then the issue asks how "<name>" shall go on, names "<step>" and what each command does
    When a call decides to "compensate" "<name>"
    Then the project "<name>" ends as "compensated"
    And nothing that the run made is left, and what was there before is as it was
    And the issue says what was removed
    When Mona clears the way
    And Casey opens a request for "<name>" with the process "Basic"
    Then the project "<name>" is made, every step read back

    Examples:
      | forge        | name           | step                      |
      | GitHub       | Taken Back One | Repository acme           |
      | Azure DevOps | Taken Back Two | Project Taken Back Two    |

  Scenario: A button of the status page accepts the project as it is
    Given "Accepted Shop" is taken on GitHub
    When Casey opens a request for "Accepted Shop" with the process "Basic"
    Then the issue asks how "Accepted Shop" shall go on, names "Repository acme" and what each command does
    When somebody with a key presses "accept" on the page of "Accepted Shop"
    Then the project "Accepted Shop" ends as "accepted"
    And Azure DevOps has what was made of "Accepted Shop"

  Scenario: Who may not write to the repository decides nothing
    Given "Contested Shop" is taken on GitHub
    When Casey opens a request for "Contested Shop" with the process "Basic"
    Then the issue asks how "Contested Shop" shall go on, names "Repository acme" and what each command does
    When the stranger comments "/doneright compensate"
    Then the issue answers that the stranger may not write to the repository
    And the project "Contested Shop" still waits for a decision
    When Mona comments "/doneright perhaps"
    Then the issue answers with the commands there are
    When a call decides to "accept" "Contested Shop"
    Then a second decision about "Contested Shop" comes too late
