/** Requests are always traced, so that services can name the trace; spans leave only when asked to. */
import { propagation, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  type SpanProcessor,
  StackContextManager,
  WebTracerProvider,
} from "@opentelemetry/sdk-trace-web";

import { SERVICE, VERSION } from "./about";
import type { RuntimeConfig } from "./config";

async function exporting(url: string): Promise<SpanProcessor> {
  // Loaded only where it is used: most environments do without it.
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  return new BatchSpanProcessor(
    new OTLPTraceExporter({ url, headers: { "Content-Type": "application/json" } }),
  );
}

/** Start tracing for this page; what is waiting is sent when the page is hidden. */
export async function startTelemetry(
  config: Pick<RuntimeConfig, "environment" | "tracesUrl">,
): Promise<WebTracerProvider> {
  const processors = config.tracesUrl === null ? [] : [await exporting(config.tracesUrl)];
  const provider = new WebTracerProvider({
    resource: resourceFromAttributes({
      "service.name": SERVICE,
      "service.version": VERSION,
      "deployment.environment.name": config.environment,
    }),
    spanProcessors: processors,
  });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  provider.register({ contextManager: new StackContextManager() });
  return provider;
}
