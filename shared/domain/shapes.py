"""The forms that names and addresses in a request may have: a pattern for machines, the same in words for people."""

from __future__ import annotations

from typing import NamedTuple


class Shape(NamedTuple):
    """A regular expression both Python and Rust read, what it accepts in words, and a text it accepts."""

    pattern: str
    accepts: str
    example: str


_LOGIN = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}"
_ANY_LOGIN = rf"{_LOGIN}(_[A-Za-z0-9]{{1,8}})?"
"""A login with the short code that GitHub appends for managed users:
https://docs.github.com/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
"""

OWNER = Shape(
    rf"^({_LOGIN}(/[A-Za-z0-9][A-Za-z0-9._-]{{0,99}})?"
    r"|[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$",
    "a GitHub login (letters, digits, hyphens; at most 39), an organisation/team or an e-mail address",
    "octocat",
)
"""What a CODEOWNERS line takes."""
REQUESTER = Shape(
    rf"^({_ANY_LOGIN}(\[bot\])?|{_LOGIN}/[A-Za-z0-9_][A-Za-z0-9._-]{{0,99}})$",
    "a GitHub login (letters, digits, hyphens; at most 39) or organisation/team",
    "octocat",
)
ORGANIZATION = Shape(
    rf"^{_ANY_LOGIN}$",
    "the login of a GitHub account: letters, digits and hyphens, at most 39, a letter or digit first",
    "contoso",
)
REPOSITORY = Shape(
    rf"^{_ANY_LOGIN}/([A-Za-z0-9_-][A-Za-z0-9._-]{{0,99}}|\.[A-Za-z0-9_-][A-Za-z0-9._-]{{0,98}})$",
    "a repository's owner/name: a login, one slash, and a name of letters, digits, '.', '_' and '-'",
    "contoso/requests",
)
REPOSITORY_NAME = Shape(
    r"^[A-Za-z0-9_.-]{0,100}$",
    "a repository's name: letters, digits, '.', '_' and '-', at most 100, without its owner",
    "payments-api",
)
FURTHER_REPOSITORY = Shape(
    r"^[A-Za-z][A-Za-z0-9._-]{0,63}$",
    "a repository's name on both forges: letters, digits, '.', '_' and '-', at most 64, a letter first",
    "web-shop",
)
"""No more than Azure Repos takes, of the characters GitHub takes. A letter first, since ids end in numbers of rounds."""
DIGEST = Shape(
    r"^sha256:[0-9a-f]{64}$",
    "a digest as it is shown: 'sha256:' and 64 hexadecimal digits",
    "sha256:" + "0" * 64,
)
SECRET_NAME = Shape(
    r"^[0-9a-zA-Z-]{1,127}$",
    "the name of a secret: 1 to 127 letters, digits and hyphens (the name, never the secret itself)",
    "contoso-azure-devops",
)
ANALYSIS_KEY = Shape(
    r"^[0-9A-Za-z_.:{}-]{1,400}$",
    "a SonarQube project's key: letters, digits, '-', '_', '.' and ':', with {owner} and {repository} where they belong",
    "{owner}_{repository}",
)
CONNECTION_ID = Shape(
    r"^[a-z0-9][a-z0-9-]{0,39}$",
    "an id: 1 to 40 lower-case letters, digits and hyphens, a letter or digit first",
    "contoso",
)
URL = Shape(
    r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*/?$",
    "an address of http:// or https://, host, port and path alone, other characters percent-encoded",
    "https://github.example.com/api/v3",
)
CLIENT_ID = Shape(
    r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$",
    "the client id of a managed identity, in hexadecimal groups of 8-4-4-4-12, or empty",
    "00000000-0000-0000-0000-000000000001",
)
ENVIRONMENT = Shape(
    r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$",
    "an environment's name: letters, digits, spaces, '_', '.' and '-', a letter or digit first",
    "production",
)
GITHUB_APPROVER = Shape(
    rf"^({_ANY_LOGIN}(/[A-Za-z0-9_][A-Za-z0-9._-]{{0,99}})?)?$",
    "a GitHub login (letters, digits, hyphens; at most 39) or organisation/team",
    "octocat",
)
AZURE_DEVOPS_APPROVER = Shape(
    r"^([A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4})?$",
    "an e-mail address, as somebody signs in to Azure DevOps",
    "octo@contoso.com",
)
EMAIL = Shape(
    r"^[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}$",
    "an e-mail address",
    "crew@contoso.com",
)
PROCESS_NAME = Shape(
    r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$",
    "a name of at most 64 letters, digits, spaces, '_' and '-', a letter or digit first",
    "In review",
)
OWN_PROCESS_NAME = Shape(
    r"^([A-Za-z0-9][A-Za-z0-9 _-]{0,63})?$", PROCESS_NAME.accepts + ", or empty", "Doneright Agile"
)
COLOR = Shape(r"^[0-9a-f]{6}$", "a colour: six hexadecimal digits, letters in lower case", "007acc")
TOPIC = Shape(
    r"^[a-z0-9][a-z0-9-]{0,49}$",
    "a GitHub topic: 1 to 50 lower-case letters, digits and hyphens, a letter or digit first",
    "payments",
)
ROLE = Shape(
    r"^(approver|product_owner|project_lead|architect|author|reviewer|tester|security_engineer|designer|technical_writer"
    r"|release_manager|operator|communicator)$",
    "a role: approver, product_owner, project_lead, architect, author, reviewer, tester, security_engineer, designer, "
    "technical_writer, release_manager, operator or communicator",
    "approver",
)
HOLDER = Shape(
    rf"^({_ANY_LOGIN}|{_LOGIN}/[A-Za-z0-9_][A-Za-z0-9._-]{{0,99}}"
    r"|[A-Za-z0-9][A-Za-z0-9._%+'-]{0,63}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4})$",
    "a GitHub login, an organisation/team of GitHub or an e-mail address, as somebody signs in to Azure DevOps",
    "octocat",
)
BACKLOG_FIX = Shape(
    r"^(azure_devops|github):[1-9][0-9]{0,15}-(under-[1-9][0-9]{0,15}|under-unsorted|alone)$",
    "the id of a fix, as the backlog proposes it",
    "azure_devops:12-under-5",
)

SHAPES = {
    shape.pattern: shape
    for shape in (
        OWNER,
        REQUESTER,
        ORGANIZATION,
        REPOSITORY,
        REPOSITORY_NAME,
        FURTHER_REPOSITORY,
        DIGEST,
        SECRET_NAME,
        ANALYSIS_KEY,
        CONNECTION_ID,
        URL,
        CLIENT_ID,
        ENVIRONMENT,
        GITHUB_APPROVER,
        AZURE_DEVOPS_APPROVER,
        EMAIL,
        PROCESS_NAME,
        OWN_PROCESS_NAME,
        COLOR,
        TOPIC,
        ROLE,
        HOLDER,
        BACKLOG_FIX,
    )
}
"""Each shape by its pattern, which is all that a validation error tells of it."""
