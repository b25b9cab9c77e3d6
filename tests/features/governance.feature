Feature: What exists is adopted with consent, and what is idle is found and removed by name
  Nothing that was there before Doneright is changed without consent, and nothing of it is ever removed.

  Scenario Outline: A project that exists is adopted as it stands
    Given Mona has "<name>" on <forge> with her own commit
    When the adoption of "<name>" on <forge> is planned
    Then nothing on <forge> has changed
    And the plan of "<name>" makes no project, no repository and no commit
    When Mona sets <change> on <forge> and the consent names the plan that was shown
    Then the consent is refused with the difference
    When the adoption of "<name>" is consented to on its page
    Then "<name>" is completed, and Mona's commit is the only one on <forge>
    And the record of "<name>" says who consented before anything was made
    And asking for what has drifted of "<name>" finds nothing
    When what was made beside "<name>" is removed by name
    Then all of Mona's is still on <forge>, and nothing of Doneright's

    Examples:
      | forge        | name         | change        |
      | GitHub       | legacy-shop  | a topic       |
      | Azure DevOps | Legacy Desk  | a wiki        |

  @slow
  Scenario Outline: Only the steps that are agreed to are applied
    Given Mona has "<name>" on <forge> with her own commit
    When the adoption of "<name>" on <forge> is planned
    And only "<step>" of "<name>" is consented to
    Then "<name>" is completed with "<step>" alone

    Examples:
      | forge        | name          | step              |
      | GitHub       | partial-shop  | github.hook       |
      | Azure DevOps | Partial Desk  | azure_devops.hook |

  @slow
  Scenario: An idle project is found on both forges and removed by name
    Given Casey asked for "Idle Shop" and it is complete
    When the idle projects are listed
    Then "Idle Shop" is listed as empty with the dates of both forges, read with few calls
    When its removal is asked for as "idle shop"
    Then it is refused, since that is not its exact name
    When somebody pushes to "Idle Shop" and its removal is asked for as "Idle Shop"
    Then it is refused, since something happened since the listing
    When its removal is asked for as "Idle Shop" even if it is active
    Then nothing of "Idle Shop" is left on either forge, and its page says so
