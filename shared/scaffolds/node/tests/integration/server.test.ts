import { connect } from "node:net";

import { describe, expect, test, vi } from "vitest";

import { LARGEST_BATCH } from "../../server/traces";
import { answering, answerJson, type Peer } from "../peer";
import { serve } from "../serving";

const PROBLEM = "application/problem+json";

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get("Content-Type")).toBe(PROBLEM);
  return (await response.json()) as Record<string, unknown>;
}

describe("health", () => {
  test("the service is alive and ready", async () => {
    const { url } = await serve();
    for (const path of ["/healthz", "/readyz"]) {
      const response = await fetch(url + path);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ status: "ok" });
    }
  });

  test("a service that is stopping stays alive and takes no new traffic", async () => {
    const { url, drain } = await serve();
    drain();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({
      status: 503,
      detail: "Not ready: lifecycle",
    });
  });
});

describe("pages", () => {
  test("the page is sent for the app's own addresses, with its policy", async () => {
    const { url } = await serve();
    for (const path of ["/", "/orders/7?page=2"]) {
      const response = await fetch(url + path, { headers: { Accept: "text/html" } });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("<title>Page</title>");
      expect(response.headers.get("Content-Security-Policy")).toContain("script-src 'self'");
    }
  });

  test("a missing script is a problem, never a page", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/assets/gone.js`, { headers: { Accept: "text/html" } });
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ title: "Not Found" });
  });

  test("HEAD is answered without a body", async () => {
    const { url } = await serve();
    const response = await fetch(url, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get("Content-Length"))).toBeGreaterThan(0);
    expect(await response.text()).toBe("");
  });

  test("a page the browser has is not sent again", async () => {
    const { url } = await serve();
    const etag = (await fetch(url)).headers.get("ETag") ?? "";
    expect((await fetch(url, { headers: { "If-None-Match": etag } })).status).toBe(304);
  });

  test("other methods are refused with what is allowed", async () => {
    const { url } = await serve();
    const response = await fetch(url, { method: "POST", body: "x" });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET, HEAD");
  });

  test("an address that cannot be decoded is refused", async () => {
    const { url } = await serve();
    expect((await fetch(`${url}/%ff`)).status).toBe(400);
  });
});

test("the settings of this environment are told, and kept by no cache", async () => {
  const { url } = await serve({ APP_ENVIRONMENT: "staging", APP_API_URL: "/api" });
  const response = await fetch(`${url}/config.json`);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  expect(await response.json()).toEqual({
    environment: "staging",
    apiUrl: "/api",
    tracesUrl: null,
  });
});

describe("access log", () => {
  test("a request is one record with its ids and without its query", async () => {
    const { url, records } = await serve();
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const response = await fetch(`${url}/healthz?token=secret`, {
      headers: { "X-Correlation-ID": "abc-1", traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    });
    expect(response.headers.get("X-Correlation-ID")).toBe("abc-1");
    await vi.waitUntil(() => records().length > 0);
    expect(records()).toEqual([
      expect.objectContaining({
        message: "request served",
        level: "INFO",
        method: "GET",
        path: "/healthz",
        status: 200,
        correlation_id: "abc-1",
        trace_id: trace,
        span_id: "00f067aa0ba902b7",
      }),
    ]);
    expect(JSON.stringify(records())).not.toContain("secret");
  });

  test("a caller who leaves before the answer is recorded without a status", async () => {
    const { url, records } = await serve({ APP_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(
      "POST /otlp/v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await vi.waitUntil(() => records().some((record) => record["message"] === "request served"));
    expect(records()).toContainEqual(
      expect.objectContaining({ message: "request served", status: null }),
    );
  });
});

describe("traces", () => {
  function collector(status: number): Promise<Peer> {
    return answering((_, response) => {
      answerJson(response, status, {});
    });
  }

  function send(url: string, body: string, type = "application/json"): Promise<Response> {
    return fetch(`${url}/otlp/v1/traces`, {
      method: "POST",
      headers: { "Content-Type": type },
      body,
    });
  }

  test("a batch reaches the collector", async () => {
    const { url: endpoint, received } = await collector(200);
    const { url } = await serve({ APP_OTLP_ENDPOINT: endpoint });
    expect((await send(url, '{"resourceSpans":[]}')).status).toBe(202);
    expect(received.map(({ path, body }) => [path, body])).toEqual([
      ["/v1/traces", '{"resourceSpans":[]}'],
    ]);
  });

  test("nothing is taken unless a collector is configured", async () => {
    const { url } = await serve();
    expect((await send(url, "{}")).status).toBe(405);
  });

  test.each([
    ["of another type", "<x/>", "text/xml", 415],
    ["that is too large", " ".repeat(LARGEST_BATCH + 1), "application/json", 413],
  ])("a batch %s is refused", async (_, body, type, status) => {
    const { url: endpoint, received } = await collector(200);
    const { url } = await serve({ APP_OTLP_ENDPOINT: endpoint });
    const response = await send(url, body, type);
    expect(response.status).toBe(status);
    await problemOf(response);
    expect(received).toEqual([]);
  });

  test("a collector that refuses or is away is a problem and a warning", async () => {
    const { url: endpoint } = await collector(500);
    for (const at of [endpoint, "http://127.0.0.1:9"]) {
      const { url, records } = await serve({ APP_OTLP_ENDPOINT: at });
      expect((await send(url, "{}")).status).toBe(502);
      expect(records()).toContainEqual(expect.objectContaining({ level: "WARNING" }));
    }
  });

  test("traces are only ever sent", async () => {
    const { url } = await serve({ APP_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    const response = await fetch(`${url}/otlp/v1/traces`);
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("POST");
  });
});
