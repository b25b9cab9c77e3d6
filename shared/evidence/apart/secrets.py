"""Looks for secrets by detect-secrets."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

DETECTORS = (
    "artifactory.ArtifactoryDetector", "aws.AWSKeyDetector", "azure_storage_key.AzureStorageKeyDetector",
    "basic_auth.BasicAuthDetector", "cloudant.CloudantDetector", "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector", "gitlab_token.GitLabTokenDetector", "ibm_cloud_iam.IbmCloudIamDetector",
    "ibm_cos_hmac.IbmCosHmacDetector", "jwt.JwtTokenDetector", "mailchimp.MailchimpDetector", "npm.NpmDetector",
    "openai.OpenAIDetector", "private_key.PrivateKeyDetector", "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector", "slack.SlackDetector", "softlayer.SoftlayerDetector",
    "square_oauth.SquareOAuthDetector", "stripe.StripeDetector", "telegram_token.TelegramBotTokenDetector",
    "twilio.TwilioKeyDetector",
)  # fmt: skip
"""Detectors of secrets that have a shape of their own; what they find needs no second opinion. Public addresses
(``ip_public``) are no secrets."""

FURTHER = (
    ("GitHub Fine-grained Token", re.compile(r"\bgithub_pat_[A-Za-z0-9_]{60,}\b")),
    ("Azure DevOps Token", re.compile(r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b")),
    ("Microsoft Entra Client Secret", re.compile(r"\b[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}")),
    ("Google API Key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b")),
    ("Shared Access Key", re.compile(r"\bSharedAccessKey=([A-Za-z0-9+/]{43}=)")),
)
"""Shapes the library lacks, as their makers document them."""

LOCK, SAMPLES = "lock", "samples"
"""What the names of files begin with that are guessed about less: see ``shared/evidence/scanning/secrets.py``."""

_HINTS = {"NpmDetector": "_authToken"}
"""What a text must hold before a shape is looked for that reads a line to its end from every address in it."""

GUESSING: tuple[dict[str, Any], ...] = (
    {"name": "KeywordDetector"},
    {"name": "Base64HighEntropyString", "limit": 4.5},
)
"""Detectors that guess by a name beside the value or by its randomness. Hexadecimal randomness is left out: digests and
commits, which fill lock files, workflows and tests, look the same."""

_HEURISTIC = "detect_secrets.filters.heuristic"
GUESS_FILTERS = tuple(
    {"path": f"{_HEURISTIC}.{name}"}
    for name in (
        "is_sequential_string", "is_potential_uuid", "is_likely_id_string", "is_templated_secret",
        "is_prefixed_with_dollar_sign", "is_indirect_reference", "is_not_alphanumeric_string",
    )
)  # fmt: skip
"""What makes a guess no finding. The comment ``pragma: allowlist secret`` is no such thing: whoever wrote the change wrote
it as well. Nothing is verified by asking anybody."""

_DIGEST = re.compile(r"sha(?:1|256|384|512)[-:]")
"""What the digest of something public begins with."""

_WORDS = frozenset(
    ["advisory", "disabled", "enabled", "enforced", "false", "none", "null", "off", "on", "optional", "read", "required", "true", "write"]
)  # fmt: skip
"""Settings that a telling name may have and no secret is."""

_NAME = re.compile(r"[a-z]+(?:[ _.-][a-z]+)+")
"""Words in small letters, joined: how secrets are named, such as `contoso-github`, not how they are made."""

_KEY_BODY = re.compile(r"[A-Za-z0-9+/]{40,}")
"""Without a line such as this close by, the heading of a private key is only spoken of."""

_PUBLIC = frozenset({"0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059"})
"""SHA-256 of keys that everybody knows: the storage emulator's, as its manual prints it."""

_SAMPLE = re.compile(r"[A-Za-z]+")
"""A password of letters alone in an address: in tests and documents, a sample."""

_BY_LINE = frozenset({".py", ".js", ".java", ".go", ".cs", ".php", ".swift", ".c", ".cpp", ".m", ".tf"})
"""Ends of programs, in which the library takes each line by itself; other files it may read as settings, as a whole."""

_LEAST_DIFFERENT = 23
"""Fewer different characters cannot carry 4.5 bits each."""
_RUN = re.compile(r"[A-Za-z0-9+/=_-]{23,}")

LONGEST_GUESSED = 5_000
"""Characters of a line in which is guessed; longer ones, which programs write, are looked at by shape alone."""


def begin() -> tuple[str, Callable[[Path, str], dict[str, Any]]]:
    """In the child's process: the library's version, and what looks at one file."""
    from importlib import import_module  # noqa: PLC0415 - the library is loaded in the child alone

    with _asking_nobody():
        version = str(import_module("detect_secrets.__version__").VERSION)
        import_module("detect_secrets.core.scan")
        modules = {name: import_module(f"detect_secrets.plugins.{name.split('.')[0]}") for name in DETECTORS}
        telling = import_module("detect_secrets.plugins.keyword").DENYLIST

    detectors = []
    for detector, module in modules.items():
        made = getattr(module, detector.split(".")[1])()
        # Over a whole text at once this is a hundred times faster than over each line, and few texts hold any shape.
        anywhere = [re.compile(one.pattern, one.flags | re.MULTILINE) for one in made.denylist]
        detectors.append((made, anywhere))
    keywords = re.compile("|".join(telling), re.IGNORECASE)

    def look_at(folder: Path, name: str) -> dict[str, Any]:
        lines = (folder / name).read_text(encoding="utf-8", newline="\n").split("\n")
        found: dict[tuple[int, str], dict[str, Any]] = {}
        for number, kind, value in _by_shape(lines, detectors):
            if _is_public(value) or (kind == "Private Key" and not _has_body(lines, number)):
                continue
            if kind == "Basic Auth Credentials" and name.startswith(SAMPLES) and _SAMPLE.fullmatch(value):
                continue
            found.setdefault((number, value), {"line": number, "kind": kind, "value": value, "guessed": False})
        if not name.startswith(LOCK):
            # A line that holds a token for certain needs no guess beside it.
            certain = {number for number, _ in found}
            for number, kind, value in _guessed(folder, name, lines, keywords):
                if number not in certain:
                    found.setdefault((number, value), {"line": number, "kind": kind, "value": value, "guessed": True})
        return {"found": [found[place] for place in sorted(found)]}

    return version, look_at


@contextmanager
def _asking_nobody() -> Iterator[None]:
    """Within, the library loads nothing to ask with: it would only ask the maker of a token whether it is good.

    That is two thirds of what it loads, and of the time that takes.
    """
    there = "requests" in sys.modules
    if not there:
        nobody: Any = ModuleType("requests")
        nobody.Response = type("Response", (), {})  # named by what the functions that would ask say they return
        sys.modules["requests"] = nobody
    try:
        yield
    finally:
        if not there:
            del sys.modules["requests"]


def _by_shape(lines: list[str], detectors: list[tuple[Any, list[re.Pattern[str]]]]) -> Iterator[tuple[int, str, str]]:
    text = "\n".join(lines)
    likely = [
        detector
        for detector, anywhere in detectors
        if _HINTS.get(type(detector).__name__, "") in text and any(shape.search(text) for shape in anywhere)
    ]
    further = [(kind, shape) for kind, shape in FURTHER if shape.search(text)]
    if not likely and not further:
        return
    for number, line in enumerate(lines, 1):
        for detector in likely:
            for value in detector.analyze_string(line):
                yield number, detector.secret_type, value
        for kind, shape in further:
            for match in shape.finditer(line):
                yield number, kind, match[match.lastindex or 0]


def _is_public(value: str) -> bool:
    value = value.rpartition("AccountKey=")[2]
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest() in _PUBLIC


def _has_body(lines: list[str], number: int) -> bool:
    # The heading itself is short words; a key on one line holds written line ends.
    return any(_KEY_BODY.search(line) for line in lines[number - 1 : number + 4])


def _guessed(folder: Path, name: str, lines: list[str], keywords: re.Pattern[str]) -> Iterator[tuple[int, str, str]]:
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415
    from detect_secrets.settings import transient_settings  # noqa: PLC0415

    plugins = GUESSING[1:] if name.startswith(SAMPLES) else GUESSING
    likely = [number for number, line in enumerate(lines, 1) if _is_likely(line, keywords)]
    if not likely:
        return
    file = folder / name
    if file.suffix not in _BY_LINE:
        likely = list(range(1, len(lines) + 1))
    kept = (lines[number - 1] if len(lines[number - 1]) <= LONGEST_GUESSED else "" for number in likely)
    file.write_text("\n".join(kept), encoding="utf-8", newline="\n")
    with transient_settings({"plugins_used": list(plugins), "filters_used": list(GUESS_FILTERS)}):
        for secret in scan_file(str(file)):
            value = secret.secret_value or ""
            place = secret.line_number
            if value.lower() in _WORDS or _NAME.fullmatch(value) or _DIGEST.match(value) or _is_public(value):
                continue
            yield likely[place - 1] if 0 < place <= len(likely) else 1, secret.type, value


def _is_likely(line: str, keywords: re.Pattern[str]) -> bool:
    """Whether a detector that guesses could find anything: a telling name, or enough different characters in a row."""
    return bool(keywords.search(line)) or any(len(set(run)) >= _LEAST_DIFFERENT for run in _RUN.findall(line))
