/** Runs the service until it is asked to stop: `node dist/server/main.mjs`. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { makeApp } from "./app";
import { makeLog } from "./log";
import { readSettings, type Settings, SettingsError } from "./settings";
import { StaticFiles } from "./static-files";

const PATIENCE_MS = 20_000;

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78); // EX_CONFIG of sysexits.h
  }
}

const settings = settingsOrExit();
const log = makeLog(settings);
const files = new StaticFiles(join(import.meta.dirname, "../client"));
const { server, drain } = makeApp({ settings, files, log });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    log("INFO", "stopping", { signal });
    drain();
    // Lets the requests in flight finish, then no longer waits for those that hang.
    server.close();
    setTimeout(() => {
      server.closeAllConnections();
    }, PATIENCE_MS).unref();
  });
}

server.listen(settings.port, settings.host, () => {
  log("INFO", "listening", {
    host: settings.host,
    port: (server.address() as AddressInfo).port,
  });
});
