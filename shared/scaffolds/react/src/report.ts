/** What fails on the page is a span, so that it reaches whoever operates the service. */
import { SpanStatusCode, trace } from "@opentelemetry/api";

/** Record `error`, which happened at `where`. */
export function reportError(error: unknown, where: string): void {
  const span = trace.getTracer("page").startSpan("page failed", {
    attributes: { "code.stacktrace": where },
  });
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
