/** The settings of this environment, read from `/config.json` when the page starts and checked. */
import { z } from "./schema";

const Config = z.object({
  environment: z.enum(["local", "staging", "production"]),
  apiUrl: z.string().min(1).nullable(),
  tracesUrl: z.string().min(1).nullable(),
});

/** What the server tells the page at run time. */
export type RuntimeConfig = Readonly<z.infer<typeof Config>>;

/** The settings could not be read. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Ask the server for the settings.
 *
 * @throws ConfigError when it cannot be reached, or answers something else.
 */
export async function loadConfig(): Promise<RuntimeConfig> {
  try {
    const response = await fetch("/config.json");
    if (!response.ok) throw new ConfigError(`the server answered ${response.status}`);
    return Config.parse(await response.json());
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError("the server's settings could not be read", { cause: error });
  }
}
