/** A server of this process for a test, over a real socket; what it logs is kept. */
import { mkdtempSync, mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { type App, makeApp } from "../server/app";
import { makeLog } from "../server/log";
import { readSettings } from "../server/settings";
import { StaticFiles } from "../server/static-files";

/** Make a folder as the build leaves it. */
export function builtFiles(): string {
  const folder = mkdtempSync(join(tmpdir(), "client-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Page</title>");
  writeFileSync(join(folder, "assets/app-1a2b.js"), "export {};\n".repeat(200));
  writeFileSync(join(folder, "icon.png"), new Uint8Array([137, 80, 78, 71]));
  return folder;
}

export interface Serving extends App {
  readonly url: string;
  /** The records logged until now. */
  readonly records: () => Record<string, unknown>[];
}

/** Serve `folder` with the settings in `variables` until the test ends. */
export async function serve(
  variables: Record<string, string> = {},
  folder: string = builtFiles(),
): Promise<Serving> {
  const lines: string[] = [];
  const settings = readSettings(variables);
  const app = makeApp({
    settings,
    files: new StaticFiles(folder),
    log: makeLog(settings, (line) => lines.push(line)),
  });
  await new Promise<void>((resolve) => app.server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await new Promise((resolve) => app.server.close(resolve));
  });
  const { port } = app.server.address() as AddressInfo;
  return {
    ...app,
    url: `http://127.0.0.1:${port}`,
    records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
