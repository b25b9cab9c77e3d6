/** Composes the server: which path gives which answer, and what every answer and request has. */
import { createServer, type IncomingMessage, type Server } from "node:http";

import { type Answer, json } from "./answer";
import { CORRELATION_HEADER, correlationIdFor, traceIdsOf } from "./correlation";
import type { Log } from "./log";
import { problem } from "./problems";
import { runtimeConfig, TRACES_PATH } from "./runtime-config";
import { securityHeaders } from "./security";
import type { Settings } from "./settings";
import type { StaticFiles } from "./static-files";
import { handOnTraces } from "./traces";

/** The service, and whether it wants traffic. */
export interface App {
  readonly server: Server;
  /** Answer `/readyz` with 503 from now on, so that no new traffic is sent here. */
  readonly drain: () => void;
}

/** What the service is made of. */
export interface Parts {
  readonly settings: Settings;
  readonly files: StaticFiles;
  readonly log: Log;
}

function pathOf(request: IncomingMessage): string | undefined {
  try {
    // The base is never used: a request's own target starts with a slash or is a whole address.
    return decodeURIComponent(new URL(request.url ?? "/", "http://unused.invalid").pathname);
  } catch {
    return undefined;
  }
}

function wantsPage(request: IncomingMessage, path: string): boolean {
  // The app's own addresses have no extension; a missing script must not be answered with a page.
  return (request.headers.accept ?? "").includes("text/html") && !/\.[^/]*$/.test(path);
}

/** Make the service; its caller listens and closes. */
export function makeApp({ settings, files, log }: Parts): App {
  let ready = true;
  const everywhere = securityHeaders(settings);

  async function answer(
    request: IncomingMessage,
    path: string | undefined,
    correlationId: string,
  ): Promise<Answer> {
    if (path === undefined) return problem(400, "The address cannot be read.", correlationId);
    if (path === TRACES_PATH && settings.otlpEndpoint !== null) {
      return request.method === "POST"
        ? handOnTraces(request, settings.otlpEndpoint, correlationId, log)
        : problem(405, "Traces are sent with POST.", correlationId, { Allow: "POST" });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return problem(405, "Only GET and HEAD are answered here.", correlationId, {
        Allow: "GET, HEAD",
      });
    }
    if (path === "/healthz") return json({ status: "ok" });
    if (path === "/readyz") {
      return ready ? json({ status: "ok" }) : problem(503, "Not ready: lifecycle", correlationId);
    }
    if (path === "/config.json") return json(runtimeConfig(settings));
    const wanted = {
      acceptEncoding: request.headers["accept-encoding"],
      ifNoneMatch: request.headers["if-none-match"],
    };
    return (
      files.answer(path === "/" ? "/index.html" : path, wanted) ??
      (wantsPage(request, path) ? files.answer("/index.html", wanted) : undefined) ??
      problem(404, "There is nothing at this address.", correlationId)
    );
  }

  const server = createServer((request, response) => {
    const started = performance.now();
    const correlationId = correlationIdFor(request.headers["x-correlation-id"]?.toString());
    const path = pathOf(request);
    response.once("close", () => {
      // The path without its query, which may hold personal data.
      log("INFO", "request served", {
        method: request.method,
        path,
        status: response.writableFinished ? response.statusCode : null,
        duration_ms: Math.round((performance.now() - started) * 10) / 10,
        correlation_id: correlationId,
        ...traceIdsOf(request.headers["traceparent"]?.toString()),
      });
    });
    answer(request, path, correlationId)
      .catch((error: unknown) => {
        // The edge of the service: what failed is logged, and the caller still gets an answer.
        log("ERROR", "request failed", {
          correlation_id: correlationId,
          exception: error instanceof Error ? error.stack : String(error),
        });
        return problem(500, "The service failed to answer this request.", correlationId);
      })
      .then(({ status, headers, body }) => {
        response.writeHead(status, {
          ...everywhere,
          ...headers,
          [CORRELATION_HEADER]: correlationId,
          ...(status === 304 ? {} : { "Content-Length": Buffer.byteLength(body) }),
        });
        response.end(request.method === "HEAD" ? undefined : body);
      })
      .catch((error: unknown) => {
        log("ERROR", "answer not written", { exception: String(error) });
        response.destroy();
      });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 15_000;
  return {
    server,
    drain: () => {
      ready = false;
    },
  };
}
