/** Everything that differs between environments, read once from `APP_*` variables and checked. */
import { z } from "zod";

/** Where the service runs. */
export const ENVIRONMENTS = ["local", "staging", "production"] as const;

/** The least severe record that is written, least severe first. */
export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;

const HttpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https address" });

/** A path of this origin, or another origin's address; without a query, so that paths can be added. */
const ApiUrl = z.union([HttpUrl, z.string().regex(/^\/(?!\/)[\w./~-]*$/)], {
  error: "must be an http or https address, or a path that starts with one slash",
});

const Port = z
  .string()
  .regex(/^\d{1,5}$/, { error: "must be a port number" })
  .transform(Number)
  .refine((port) => port <= 65535, { error: "must be at most 65535" });

const Variables = z.object({
  APP_ENVIRONMENT: z.enum(ENVIRONMENTS).default("local"),
  APP_LOG_LEVEL: z.enum(LOG_LEVELS).default("INFO"),
  APP_HOST: z.string().min(1).default("127.0.0.1"),
  // 0 asks the system for a free port, as the tests do.
  APP_PORT: Port.default(8000),
  APP_API_URL: ApiUrl.optional(),
  APP_OTLP_ENDPOINT: HttpUrl.optional(),
});

/** Settings of the service. */
export interface Settings {
  readonly environment: (typeof ENVIRONMENTS)[number];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on. */
  readonly port: number;
  /** Where the browser finds the API; without it the app keeps its data in the browser. */
  readonly apiUrl: string | null;
  /** OpenTelemetry collector (OTLP over HTTP); no traces leave without it. */
  readonly otlpEndpoint: string | null;
}

/** A variable holds something the service cannot use. The message names each one. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * Read the settings from `variables`; an empty variable counts as absent.
 *
 * @throws SettingsError when a variable cannot be used.
 */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const read = Variables.safeParse(given);
  if (!read.success) {
    const reasons = read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new SettingsError(`cannot start: ${reasons.join("; ")}`);
  }
  return {
    environment: read.data.APP_ENVIRONMENT,
    logLevel: read.data.APP_LOG_LEVEL,
    host: read.data.APP_HOST,
    port: read.data.APP_PORT,
    apiUrl: read.data.APP_API_URL?.replace(/\/+$/, "") ?? null,
    otlpEndpoint: read.data.APP_OTLP_ENDPOINT?.replace(/\/+$/, "") ?? null,
  };
}
