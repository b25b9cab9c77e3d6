/** The few questions that tell a working release from a broken one; they change nothing. */
import { beforeAll, expect, test } from "vitest";

import { runningService } from "./service";

let url: string;

beforeAll(async () => {
  const service = await runningService();
  url = service.url;
  return service.stop;
});

test("is alive", async () => {
  const response = await fetch(`${url}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ok" });
});

test("takes traffic", async () => {
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test("echoes the correlation id", async () => {
  const response = await fetch(`${url}/healthz`, { headers: { "X-Correlation-ID": "smoke-1" } });
  expect(response.headers.get("X-Correlation-ID")).toBe("smoke-1");
});

test("an unknown path is a problem", async () => {
  const response = await fetch(`${url}/there-is-no-such-file`);
  expect(response.status).toBe(404);
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({ status: 404 });
});

test("the page comes with its policy, its scripts and its settings", async () => {
  const page = await fetch(url, { headers: { Accept: "text/html" } });
  expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  const script = /<script type="module"[^>]* src="([^"]+)"/.exec(await page.text())?.[1] ?? "";
  expect(script).toMatch(/^\/assets\//);
  const response = await fetch(url + script);
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toContain("javascript");
  expect(await (await fetch(`${url}/config.json`)).json()).toHaveProperty("environment");
});
