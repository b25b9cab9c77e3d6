/** Errors leave as problem details (RFC 9457) that say what is wrong and hold nothing internal. */
import { STATUS_CODES } from "node:http";

import type { Answer } from "./answer";

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** Make the answer for an error of HTTP status `status`. */
export function problem(
  status: number,
  detail: string,
  correlationId: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const details = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    correlation_id: correlationId,
  };
  return {
    status,
    headers: { ...headers, "Content-Type": PROBLEM_MEDIA_TYPE, "Cache-Control": "no-store" },
    body: JSON.stringify(details),
  };
}
