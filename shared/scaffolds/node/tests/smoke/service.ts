/** A running service: the one at SMOKE_BASE_URL, or the built one started here on a free port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PATIENCE_MS = 20_000;

interface Service {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Return the service to ask; whoever started it here must stop it. */
export async function runningService(): Promise<Service> {
  const deployed = process.env["SMOKE_BASE_URL"];
  if (deployed) return { url: deployed.replace(/\/+$/, ""), stop: () => Promise.resolve() };
  const child = spawn(process.execPath, ["dist/server/main.mjs"], {
    env: { ...process.env, APP_HOST: "127.0.0.1", APP_PORT: "0", APP_LOG_LEVEL: "INFO" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error("the service did not start in time"));
    }, PATIENCE_MS);
    createInterface(child.stdout).on("line", (line) => {
      const record = JSON.parse(line) as { message?: string; port?: number };
      if (record.message === "listening" && record.port !== undefined) {
        clearTimeout(timer);
        resolve(record.port);
      }
    });
    void ended.then(([code]) => {
      clearTimeout(timer);
      reject(new Error(`the service ended with code ${String(code)}: was it built?`));
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
