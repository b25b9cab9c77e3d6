/** What the browser is told at run time, so that one image serves every environment. */
import type { RuntimeConfig } from "../src/config";
import type { Settings } from "./settings";

/** Where the browser sends its traces; this server hands them on. */
export const TRACES_PATH = "/otlp/v1/traces";

/** Return the content of `/config.json`. Everybody can read it: it never holds a secret. */
export function runtimeConfig(settings: Settings): RuntimeConfig {
  return {
    environment: settings.environment,
    apiUrl: settings.apiUrl,
    tracesUrl: settings.otlpEndpoint === null ? null : TRACES_PATH,
  };
}
