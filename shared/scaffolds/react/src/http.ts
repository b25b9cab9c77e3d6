/** Requests to the API: each is traced, has a correlation id and a time limit, and fails in words. */
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { z } from "./schema";

const PATIENCE_MS = 10_000;

const Problem = z.object({
  detail: z.string().optional(),
  correlation_id: z.string().nullish(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});

/** One part of a request that the API cannot use. */
export interface FieldProblem {
  /** Where: a JSON pointer (RFC 6901), for example `/body/name`. */
  readonly pointer: string;
  readonly detail: string;
}

/** A request that did not succeed. Its message can be shown to people. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** Quote it when asking for help. */
  readonly correlationId: string;
  readonly fields: readonly FieldProblem[];

  constructor(
    message: string,
    details: {
      status?: number;
      correlationId: string;
      fields?: readonly FieldProblem[];
      cause?: unknown;
    },
  ) {
    super(message, { cause: details.cause });
    this.status = details.status ?? null;
    this.correlationId = details.correlationId;
    this.fields = details.fields ?? [];
  }
}

function newCorrelationId(): string {
  // randomUUID is missing where a page is served without TLS from another machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function failure(response: Response, sentId: string): Promise<RequestError> {
  const body: unknown = await response.json().catch(() => null);
  const problem = Problem.safeParse(body).data;
  return new RequestError(
    problem?.detail ?? `The service answered with status ${response.status}.`,
    {
      status: response.status,
      correlationId: problem?.correlation_id ?? sentId,
      fields: problem?.errors ?? [],
    },
  );
}

async function send(url: string, options: RequestInit, id: string): Promise<Response> {
  let response: Response;
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
  }, PATIENCE_MS);
  try {
    response = await fetch(url, { ...options, signal: limit.signal });
  } catch (error) {
    const reason = limit.signal.aborted ? "did not answer in time" : "could not be reached";
    throw new RequestError(`The service ${reason}. Check your connection and try again.`, {
      correlationId: id,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await failure(response, id);
  return response;
}

async function read<T>(response: Response, schema: z.ZodType<T>, id: string): Promise<T> {
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new RequestError("The service answered something this version does not understand.", {
    status: response.status,
    correlationId: id,
    cause: parsed.error,
  });
}

/**
 * Send a request and read its answer with `schema`.
 *
 * @param route the path with its parameters named, for example `/items/{item_id}`: it names the span.
 * @throws RequestError when no answer comes, it is an error, or it does not fit the schema.
 */
export async function request<T>(
  method: "GET" | "POST" | "DELETE",
  url: string,
  route: string,
  schema: z.ZodType<T>,
  body?: unknown,
): Promise<T> {
  const id = newCorrelationId();
  const span = trace.getTracer("http").startSpan(`${method} ${route}`, {
    kind: SpanKind.CLIENT,
    attributes: { "http.request.method": method, "url.template": route, correlation_id: id },
  });
  const headers: Record<string, string> = { Accept: "application/json", "X-Correlation-ID": id };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  propagation.inject(trace.setSpan(context.active(), span), headers);
  try {
    const options = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await send(url, { method, headers, ...options }, id);
    span.setAttribute("http.response.status_code", response.status);
    return await read(response, schema, id);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    if (error instanceof RequestError && error.status !== null) {
      span.setAttribute("http.response.status_code", error.status);
    }
    throw error;
  } finally {
    span.end();
  }
}

/** For answers whose body does not matter, such as 204. */
export const NOTHING: z.ZodType = z.unknown();
