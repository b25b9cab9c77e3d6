/** Starts the page in an element: reads the settings, then shows the app, or why it cannot start. */
import { StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";

import { App } from "./App";
import { ConfigError, loadConfig } from "./config";
import { FailureNotice } from "./FailureNotice";
import { ApiItems, InMemoryItems } from "./items/store";
import { startTelemetry } from "./telemetry";

/** Render the app at URL path `path` into `element`. */
export async function start(element: HTMLElement, path: string): Promise<Root> {
  const root = createRoot(element);
  try {
    const config = await loadConfig();
    await startTelemetry(config);
    const items = config.apiUrl === null ? new InMemoryItems() : new ApiItems(config.apiUrl);
    root.render(
      <StrictMode>
        <App config={config} items={items} path={path} />
      </StrictMode>,
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    root.render(
      <main>
        <FailureNotice title="The application could not start" failure={error}>
          <button
            type="button"
            onClick={() => {
              window.location.reload();
            }}
          >
            Try again
          </button>
        </FailureNotice>
      </main>,
    );
  }
  return root;
}
