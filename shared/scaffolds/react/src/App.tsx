import { NAME, VERSION } from "./about";
import type { RuntimeConfig } from "./config";
import { ErrorBoundary } from "./ErrorBoundary";
import { ItemsPage } from "./items/ItemsPage";
import type { ItemStore } from "./items/store";
import { reportError } from "./report";

function NotFound() {
  return (
    <>
      <h1>Page not found</h1>
      <p>
        There is nothing at this address. <a href="/">Go to the items</a>.
      </p>
    </>
  );
}

/** The frame of every page; `path` decides which page it holds. */
export function App({
  config,
  items,
  path,
}: {
  readonly config: RuntimeConfig;
  readonly items: ItemStore;
  readonly path: string;
}) {
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header>
        <a href="/">{NAME}</a>
        {config.environment !== "production" && (
          <span className="environment">{config.environment}</span>
        )}
      </header>
      <main id="content" tabIndex={-1}>
        {config.apiUrl === null && (
          <p className="notice">
            No API is configured, so items are kept in this page and forgotten when it is closed.
          </p>
        )}
        <ErrorBoundary report={reportError}>
          {path === "/" ? <ItemsPage store={items} /> : <NotFound />}
        </ErrorBoundary>
      </main>
      <footer>Version {VERSION}</footer>
    </>
  );
}
