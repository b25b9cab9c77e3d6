import { expect, test, vi } from "vitest";

import { ConfigError, loadConfig } from "../../src/config";

function serverAnswers(response: Response | Error): void {
  vi.stubGlobal("fetch", () =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
}

test("the settings are read", async () => {
  const config = { environment: "staging", apiUrl: "/api", tracesUrl: null };
  serverAnswers(Response.json(config));
  expect(await loadConfig()).toEqual(config);
});

test.each([
  ["no answer", new TypeError("network")],
  ["an error", new Response("", { status: 503 })],
  ["a page", new Response("<html>")],
  ["settings of another version", Response.json({ environment: "moon" })],
])("%s is refused", async (_, response) => {
  serverAnswers(response);
  await expect(loadConfig()).rejects.toThrow(ConfigError);
});
