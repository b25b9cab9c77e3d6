import react from "@vitejs/plugin-react";
import { type BuildEnvironmentOptions, loadEnv, type Plugin } from "vite";
import { defineConfig } from "vitest/config";

import { runtimeConfig } from "./server/runtime-config";
import { readSettings } from "./server/settings";

/** Serves during development what the production server serves at run time. */
function runTimeSettings(): Plugin {
  return {
    name: "run-time-settings",
    apply: "serve",
    configureServer(server) {
      const settings = readSettings({
        ...loadEnv(server.config.mode, server.config.root, "APP_"),
        // The collector is reached through the production server only.
        APP_OTLP_ENDPOINT: undefined,
      });
      const answers: Record<string, unknown> = {
        "/config.json": runtimeConfig(settings),
        "/healthz": { status: "ok" },
        "/readyz": { status: "ok" },
      };
      server.middlewares.use((request, response, next) => {
        const answer = answers[request.url ?? ""];
        if (answer === undefined) {
          next();
          return;
        }
        response.setHeader("Content-Type", "application/json").end(JSON.stringify(answer));
      });
    },
  };
}

const rollupOptions: BuildEnvironmentOptions["rollupOptions"] = {
  onwarn(warning, warn) {
    // Says that a library's comment helps another bundler only.
    if (warning.code !== "INVALID_ANNOTATION") warn(warning);
  },
};

export default defineConfig(({ isSsrBuild = false }) => ({
  plugins: [react(), runTimeSettings()],
  server: { host: "127.0.0.1", port: 8000, strictPort: true },
  // The server's dependencies go into its bundle: the image holds no node_modules.
  ssr: isSsrBuild ? { noExternal: true } : {},
  build: isSsrBuild
    ? {
        outDir: "dist/server",
        target: "node20",
        copyPublicDir: false,
        rollupOptions: { ...rollupOptions, output: { entryFileNames: "[name].mjs" } },
      }
    : {
        outDir: "dist/client",
        // Small images as data: addresses would have to be allowed for scripts and fonts as well.
        assetsInlineLimit: 0,
        rollupOptions,
      },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    // Rendering whole pages is slow on a busy machine.
    testTimeout: 20_000,
    restoreMocks: true,
    unstubGlobals: true,
    coverage: {
      provider: "v8",
      include: ["src/**", "server/**"],
      // Both only start what the others make; the smoke tests start the one in its own process.
      exclude: ["src/main.tsx", "server/main.ts", "**/*.css"],
      reporter: ["text", ["cobertura", { file: "coverage.xml" }]],
      reportsDirectory: "reports",
      // The results of the tests lie in the same folder.
      clean: false,
      thresholds: { lines: 85, branches: 85, functions: 85, statements: 85 },
    },
  },
}));
