"""Well-known advisories of PyPI and npm in the OSV schema: https://ossf.github.io/osv-schema/"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

_MODIFIED = "2024-11-01T00:00:00Z"
_TYPES = {"PyPI": "pypi", "npm": "npm"}


class _Fact(NamedTuple):
    id: str
    aliases: tuple[str, ...]
    ecosystem: str
    package: str
    spans: tuple[tuple[str, str], ...]
    """Introduced and fixed."""
    vector: str
    word: str
    summary: str


_FACTS = (
    _Fact("GHSA-m2qf-hxjv-5gpq", ("CVE-2023-30861", "PYSEC-2023-62"), "PyPI", "flask", (("0", "2.2.5"), ("2.3.0", "2.3.2")),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "HIGH", "Permanent session cookies may be cached and disclosed"),
    _Fact("PYSEC-2023-62", ("CVE-2023-30861", "GHSA-m2qf-hxjv-5gpq"), "PyPI", "flask", (("0", "2.2.5"), ("2.3.0", "2.3.2")),
          "", "", ""),
    _Fact("GHSA-8q59-q68h-6hv4", ("CVE-2020-14343",), "PyPI", "pyyaml", (("0", "5.4"),),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CRITICAL", "Untrusted YAML runs code through full_load"),
    _Fact("GHSA-j8r2-6x86-q33q", ("CVE-2023-32681",), "PyPI", "requests", (("2.3.0", "2.31.0"),),
          "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N", "MODERATE", "Proxy-Authorization headers leak to other servers"),
    _Fact("GHSA-9wx4-h78v-vm56", ("CVE-2024-35195",), "PyPI", "requests", (("0", "2.32.0"),),
          "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:N", "MODERATE", "A session that once skipped verification goes on skipping it"),
    _Fact("GHSA-v845-jxx5-vc9f", ("CVE-2023-43804",), "PyPI", "urllib3", (("0", "1.26.17"), ("2.0.0", "2.0.6")),
          "CVSS:3.1/AV:N/AC:L/PR:H/UI:R/S:U/C:H/I:H/A:N", "MODERATE", "Cookie headers are kept across redirects to other hosts"),
    _Fact("GHSA-h5c8-rqwp-cp95", ("CVE-2024-22195",), "PyPI", "jinja2", (("0", "3.1.3"),),
          "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", "MODERATE", "The xmlattr filter lets HTML attributes be injected"),
    _Fact("GHSA-3ww4-gg4f-jr7f", ("CVE-2023-50782",), "PyPI", "cryptography", (("0", "42.0.0"),),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "HIGH", "RSA key exchange can be decrypted by a timing oracle"),
    _Fact("GHSA-xqr8-7jwr-rhp7", ("CVE-2023-37920",), "PyPI", "certifi", (("2015.4.28", "2023.7.22"),),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", "HIGH", "Root certificates of e-Tugra are trusted"),
    _Fact("GHSA-2gwj-7jmv-h26r", ("CVE-2022-28346",), "PyPI", "django", (("2.2", "2.2.28"), ("3.0", "3.2.13"), ("4.0", "4.0.4")),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CRITICAL", "SQL injection through annotate, aggregate and extra"),
    _Fact("GHSA-35jh-r3h4-6jhm", ("CVE-2021-23337",), "npm", "lodash", (("0", "4.17.21"),),
          "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", "HIGH", "Command injection through template"),
    _Fact("GHSA-xvch-5gv4-984h", ("CVE-2021-44906",), "npm", "minimist", (("0", "0.2.4"), ("1.0.0", "1.2.6")),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CRITICAL", "Prototype pollution through arguments"),
    _Fact("GHSA-wf5p-g6vw-rhxx", ("CVE-2023-45857",), "npm", "axios", (("0.8.1", "0.28.0"), ("1.0.0", "1.6.0")),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N", "MODERATE", "The XSRF token is sent to any host"),
    _Fact("GHSA-c2qf-rxjj-qqgw", ("CVE-2022-25883",), "npm", "semver", (("0", "5.7.2"), ("6.0.0", "6.3.1"), ("7.0.0", "7.5.2")),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "HIGH", "A range can take very long to be read"),
    _Fact("GHSA-r683-j2x4-v87g", ("CVE-2022-0235",), "npm", "node-fetch", (("0", "2.6.7"), ("3.0.0", "3.1.1")),
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "HIGH", "Secure headers are forwarded to untrusted sites"),
    _Fact("GHSA-9c47-m6qq-7p4h", ("CVE-2022-46175",), "npm", "json5", (("0", "1.0.2"), ("2.0.0", "2.2.2")),
          "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:L/A:H", "HIGH", "Prototype pollution through parse"),
)  # fmt: skip


def _document(fact: _Fact) -> dict[str, Any]:
    purl = f"pkg:{_TYPES[fact.ecosystem]}/{quote(fact.package, safe='/')}"
    events = [event for introduced, fixed in fact.spans for event in ({"introduced": introduced}, {"fixed": fixed})]
    kind = "SEMVER" if fact.ecosystem == "npm" else "ECOSYSTEM"
    return {
        "schema_version": "1.6.0",
        "id": fact.id,
        "modified": _MODIFIED,
        "published": _MODIFIED,
        "aliases": list(fact.aliases),
        **({"summary": fact.summary} if fact.summary else {"details": f"See {fact.aliases[0]}."}),
        "affected": [
            {
                "package": {"ecosystem": fact.ecosystem, "name": fact.package, "purl": purl},
                "ranges": [{"type": kind, "events": events}],
            }
        ],
        **({"severity": [{"type": "CVSS_V3", "score": fact.vector}]} if fact.vector else {}),
        **({"database_specific": {"severity": fact.word}} if fact.word else {}),
    }


ADVISORIES: Mapping[str, dict[str, Any]] = {fact.id: _document(fact) for fact in _FACTS}
"""Every advisory by its id."""
