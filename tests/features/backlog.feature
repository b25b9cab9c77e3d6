Feature: Backlogs are kept in order and issues sorted, on both forges
  What is wrong is explained, what is asked for is mended, and what a person decided stays.

  Background:
    Given the project "Ordered Shop" is made

  Scenario Outline: What hangs wrong is found, explained and mended on request
    Given <forge> holds an order in which "Take a card payment" hangs on nothing and "Print parcel labels" skips a level
    When the backlog of "Ordered Shop" is asked for
    Then it explains that "Take a card payment" is an orphan and "Print parcel labels" skips a level, on <forge>
    When the fixes of <forge> are asked for as a dry run
    Then the fixes are told and nothing has changed on <forge>
    When exactly the fix of "Take a card payment" is applied on <forge>
    Then "Take a card payment" hangs on "Card payments of the shop" on <forge>, and "Print parcel labels" where it did
    When every fix is applied
    Then "Print parcel labels" hangs on "Parcel labels of the shop" on <forge>
    And applying every fix again changes nothing
    And the record of "Ordered Shop" holds each move on <forge> and verifies

    Examples:
      | forge        |
      | Azure DevOps |

    @slow
    Examples: The same on the other forge
      | forge  |
      | GitHub |

  Scenario: A browser sees the tree with what is wrong in it
    Given Azure DevOps holds an order in which "Refund a card" hangs on nothing and "Weigh a parcel" skips a level
    When a browser opens the backlog of "Ordered Shop"
    Then the page shows "Refund a card", what is wrong with it and the id of its fix

  Scenario: An issue that is opened is categorised, and a person's word stands
    When Casey opens an issue "Checkout crashes with an exception" in the repository of "Ordered Shop"
    Then the issue carries the label "category: bug"
    And the record of "Ordered Shop" says why
    When Mona replaces that label by "question" and edits the issue
    Then the issue keeps "question" alone, however often it is edited

  Scenario: An issue that names a work item is linked with it
    Given Azure DevOps holds the work item "Faster checkout" in "Ordered Shop"
    When Mona opens an issue that names it in the repository of requests
    Then the work item links to the issue, and the issue says that it belongs to "Ordered Shop"

  Scenario: Work items are categorised on request
    Given Azure DevOps holds the work item "Typo in the tutorial" in "Ordered Shop"
    When the issues of "Ordered Shop" are categorised as a dry run
    Then "Typo in the tutorial" would be "documentation" and carries no tag yet
    When the issues of "Ordered Shop" are categorised
    Then the work item "Typo in the tutorial" carries the tag "category: documentation"
