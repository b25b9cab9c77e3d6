/** Hands the browser's traces on to the collector, which then needs no public address and no CORS. */
import type { IncomingMessage } from "node:http";

import type { Answer } from "./answer";
import type { Log } from "./log";
import { problem } from "./problems";

/** Largest batch of spans taken, in bytes. */
export const LARGEST_BATCH = 512 * 1024;
const PATIENCE_MS = 5_000;

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_BATCH) return undefined;
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Send the batch in `request` to the collector at `endpoint`, and answer what became of it. */
export async function handOnTraces(
  request: IncomingMessage,
  endpoint: string,
  correlationId: string,
  log: Log,
): Promise<Answer> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    return problem(415, "Traces are sent as application/json.", correlationId);
  }
  const body = await bodyOf(request);
  if (body === undefined) {
    return problem(413, `A batch holds at most ${LARGEST_BATCH} bytes.`, correlationId, {
      Connection: "close",
    });
  }
  try {
    const collected = await fetch(`${endpoint}/v1/traces`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await collected.body?.cancel();
    if (collected.ok) return { status: 202, headers: { "Cache-Control": "no-store" }, body: "" };
    log("WARNING", "collector refused traces", { collector_status: collected.status });
  } catch (error) {
    log("WARNING", "collector not reached", { exception: String(error) });
  }
  return problem(502, "The collector did not take the traces.", correlationId);
}
