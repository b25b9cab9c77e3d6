// @vitest-environment jsdom
/** The whole page, as it starts in a browser, with the server and an API behind real sockets. */
import { propagation, trace } from "@opentelemetry/api";
import { act, screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { TRACES_PATH } from "../../server/runtime-config";
import { SERVICE } from "../../src/about";
import { start } from "../../src/start";
import { startTelemetry } from "../../src/telemetry";
import { answering, answerJson, type Peer } from "../peer";
import { serve } from "../serving";

/** An API of items that works. */
function itemsApi(): Promise<Peer> {
  let items: { id: string; name: string; price: string; created_at: string }[] = [];
  return answering(({ method, path, body }, response) => {
    if (method === "POST") {
      const filled = JSON.parse(body) as { name: string; price: string };
      const item = { id: `${items.length}/ä`, created_at: "2026-01-31T12:00:00Z", ...filled };
      items.push(item);
      answerJson(response, 201, item);
    } else if (method === "DELETE") {
      items = items.filter(({ id }) => !path.endsWith(encodeURIComponent(id)));
      response.writeHead(204).end();
    } else {
      answerJson(response, 200, { items, total: items.length });
    }
  });
}

async function startPage(): Promise<void> {
  const element = document.body.appendChild(document.createElement("div"));
  const root = await act(() => start(element, "/"));
  onTestFinished(() => {
    act(() => {
      root.unmount();
    });
    element.remove();
  });
}

/** Start the page of a server with these settings, as a browser would. */
async function open(variables: Record<string, string>): Promise<void> {
  const { url } = await serve(variables);
  const plainFetch = globalThis.fetch;
  vi.stubGlobal("fetch", (target: string, options: RequestInit = {}) => {
    // jsdom's signals are not those of Node's fetch, and only a browser knows the page's origin.
    const { method, headers, body } = options;
    return plainFetch(new URL(target, url), {
      ...(method !== undefined && { method }),
      ...(headers !== undefined && { headers }),
      ...(body !== undefined && { body }),
    });
  });
  await startPage();
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});

afterEach(() => {
  trace.disable();
  propagation.disable();
});

describe("with an API", () => {
  test("items are added, listed and removed there, each request with its ids", async () => {
    const { url, received } = await itemsApi();
    await open({ APP_API_URL: url });
    await screen.findByText(/no items yet/);
    const user = userEvent.setup();
    await user.type(screen.getByLabelText("Name"), "Lamp");
    await user.type(screen.getByLabelText("Price in euro"), "12,50");
    await user.click(screen.getByRole("button", { name: "Add" }));
    const item = await screen.findByRole("listitem");
    expect(within(item).getByText("€12.50")).toBeVisible();
    await user.click(within(item).getByRole("button", { name: "Remove Lamp" }));
    expect(await screen.findByText(/no items yet/)).toBeVisible();
    // React mounts twice in strict mode, so the first page is asked for twice while developing.
    const distinct = [...new Set(received.map(({ method, path }) => `${method} ${path}`))];
    expect(distinct).toEqual([
      "GET /items?offset=0&limit=20",
      "POST /items",
      "DELETE /items/0%2F%C3%A4",
    ]);
    const added = received.filter(({ method }) => method === "POST");
    expect(added.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { name: "Lamp", price: "12.50" },
    ]);
    for (const { headers } of received) {
      expect(headers["x-correlation-id"]).toMatch(/^[0-9a-f]{32}$/);
      expect(headers["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    }
  });

  test("a problem it answers is shown in its own words", async () => {
    const { url } = await answering((_, response) => {
      answerJson(response, 503, { detail: "Closed for stocktaking.", correlation_id: "api-7" });
    });
    await open({ APP_API_URL: url });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Closed for stocktaking.");
    expect(alert).toHaveTextContent("api-7");
  });

  test.each([
    [502, "<html>Bad gateway</html>", "status 502"],
    [200, "<html>Sign in</html>", "does not understand"],
    [200, '{"items":[{"id":1}],"total":1}', "does not understand"],
  ])("an answer %i of %j is said to be unusable", async (status, body, said) => {
    const { url } = await answering((_, response) => {
      response.writeHead(status).end(body);
    });
    await open({ APP_API_URL: url });
    expect(await screen.findByRole("alert")).toHaveTextContent(said);
  });

  test("one that is away is said to be away", async () => {
    await open({ APP_API_URL: "http://127.0.0.1:9" });
    expect(await screen.findByRole("alert")).toHaveTextContent("could not be reached");
  });

  test("a field it refuses is marked", async () => {
    const { url } = await answering(({ method }, response) => {
      if (method === "GET") {
        answerJson(response, 200, { items: [], total: 0 });
      } else {
        const errors = [{ pointer: "/body/name", detail: "This name is taken." }];
        answerJson(response, 422, { detail: "Unusable values.", errors });
      }
    });
    await open({ APP_API_URL: url });
    const user = userEvent.setup();
    await user.type(await screen.findByLabelText("Name"), "Lamp");
    await user.type(screen.getByLabelText("Price in euro"), "1");
    await user.click(screen.getByRole("button", { name: "Add" }));
    expect(await screen.findByText("This name is taken.")).toBeVisible();
    expect(screen.getByLabelText("Name")).toBeInvalid();
  });
});

test("without an API the page works and says that it keeps nothing", async () => {
  await open({});
  expect(await screen.findByText(/No API is configured/)).toBeVisible();
  expect(await screen.findByText(/no items yet/)).toBeVisible();
});

test("a page whose settings cannot be read says so", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
  await startPage();
  expect(screen.getByRole("alert")).toHaveTextContent("could not start");
});

describe("traces", () => {
  test("spans reach the collector through the server", async () => {
    const collector = await answering((_, response) => {
      answerJson(response, 200, {});
    });
    const { url } = await serve({ APP_OTLP_ENDPOINT: collector.url });
    const tracesUrl = url + TRACES_PATH;
    const provider = await startTelemetry({ environment: "staging", tracesUrl });
    provider.getTracer("test").startSpan("a-named-span").end();
    await provider.shutdown();
    expect(collector.received.map(({ path }) => path)).toEqual(["/v1/traces"]);
    expect(collector.received[0]?.body).toContain("a-named-span");
    expect(collector.received[0]?.body).toContain(SERVICE);
  });

  test("nothing is sent unless one is configured", async () => {
    const fetched = vi.fn();
    vi.stubGlobal("fetch", fetched);
    const provider = await startTelemetry({ environment: "local", tracesUrl: null });
    provider.getTracer("test").startSpan("a-named-span").end();
    await provider.shutdown();
    expect(fetched).not.toHaveBeenCalled();
  });
});
