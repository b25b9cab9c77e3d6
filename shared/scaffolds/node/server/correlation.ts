/** The ids that tie a request to its log records: the caller's when harmless, else new ones. */
import { randomUUID } from "node:crypto";

export const CORRELATION_HEADER = "X-Correlation-ID";

// Anything else could forge log lines or response headers.
const HARMLESS = /^[A-Za-z0-9._-]{1,64}$/;
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Return the id its caller offered for a request, or a new one. */
export function correlationIdFor(offered: string | undefined): string {
  return offered !== undefined && HARMLESS.test(offered)
    ? offered
    : randomUUID().replaceAll("-", "");
}

/** The trace and span that sent a request. */
export interface TraceIds {
  readonly trace_id: string;
  readonly span_id: string;
}

/** Return the ids in a `traceparent` header (W3C Trace Context), or undefined when it holds none. */
export function traceIdsOf(traceparent: string | undefined): TraceIds | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent ?? "") ?? [];
  return traceId === undefined || spanId === undefined
    ? undefined
    : { trace_id: traceId, span_id: spanId };
}
