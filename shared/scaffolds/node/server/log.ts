/** Logs are one JSON object a line on standard output. */
import { SERVICE, VERSION } from "../src/about";
import { LOG_LEVELS, type Settings } from "./settings";

type Level = (typeof LOG_LEVELS)[number];
type Fields = Readonly<Record<string, unknown>>;

/** Writes a record at a level; fields are added to what every record has. */
export type Log = (level: Level, message: string, fields?: Fields) => void;

/** Make the log of this process, which leaves out what is less severe than the settings ask for. */
export function makeLog(
  settings: Pick<Settings, "environment" | "logLevel">,
  write: (line: string) => void = (line) => process.stdout.write(line),
): Log {
  const least = LOG_LEVELS.indexOf(settings.logLevel);
  return (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const record = {
      ...fields,
      timestamp: new Date().toISOString(),
      level,
      logger: "server",
      message,
      service: SERVICE,
      version: VERSION,
      environment: settings.environment,
    };
    write(`${JSON.stringify(record)}\n`);
  };
}
