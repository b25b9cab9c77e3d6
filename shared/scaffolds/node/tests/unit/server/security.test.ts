import { expect, test } from "vitest";

import { securityHeaders } from "../../../server/security";

function policy(apiUrl: string | null): string[] {
  return (securityHeaders({ apiUrl })["Content-Security-Policy"] ?? "").split("; ");
}

test.each([null, "/api"])(
  "with the API at %j the page connects to its own origin only",
  (apiUrl) => {
    expect(policy(apiUrl)).toContain("connect-src 'self'");
  },
);

test("the origin of an API elsewhere is allowed, and nothing more of it", () => {
  expect(policy("https://api.example.com:8443/v1")).toContain(
    "connect-src 'self' https://api.example.com:8443",
  );
});

test("nothing is run that this origin did not send, and nobody frames the page", () => {
  expect(policy(null)).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]),
  );
  expect(policy(null).join()).not.toMatch(/unsafe|\*/);
});
