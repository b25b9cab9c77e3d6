import { expect, test } from "vitest";

import { VERSION } from "../../../src/about";
import { makeLog } from "../../../server/log";

test("a record is one line of JSON", () => {
  const lines: string[] = [];
  const log = makeLog({ environment: "staging", logLevel: "INFO" }, (line) => lines.push(line));
  log("INFO", "first\nsecond ü", { order: 7, level: "forged" });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  const record = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  expect(record).toMatchObject({
    message: "first\nsecond ü",
    level: "INFO",
    order: 7,
    environment: "staging",
    version: VERSION,
  });
  expect(Date.parse(String(record["timestamp"]))).not.toBeNaN();
});

test("less severe records are left out", () => {
  const lines: string[] = [];
  const log = makeLog({ environment: "local", logLevel: "WARNING" }, (line) => lines.push(line));
  log("INFO", "details");
  log("ERROR", "broken");
  expect(lines).toHaveLength(1);
});
