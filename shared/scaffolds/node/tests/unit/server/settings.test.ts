import { describe, expect, test } from "vitest";

import { runtimeConfig } from "../../../server/runtime-config";
import { readSettings, SettingsError } from "../../../server/settings";

describe("readSettings", () => {
  test("defaults suit a laptop", () => {
    expect(readSettings({ PATH: "/bin", APP_API_URL: "" })).toEqual({
      environment: "local",
      logLevel: "INFO",
      host: "127.0.0.1",
      port: 8000,
      apiUrl: null,
      otlpEndpoint: null,
    });
  });

  test("variables are read, and addresses lose their last slash", () => {
    const settings = readSettings({
      APP_ENVIRONMENT: "production",
      APP_LOG_LEVEL: "WARNING",
      APP_PORT: "9001",
      APP_API_URL: "https://api.example.com/v1/",
      APP_OTLP_ENDPOINT: "http://collector:4318/",
    });
    expect(settings).toMatchObject({
      environment: "production",
      logLevel: "WARNING",
      port: 9001,
      apiUrl: "https://api.example.com/v1",
      otlpEndpoint: "http://collector:4318",
    });
  });

  test.each([
    ["APP_PORT", "70000"],
    ["APP_PORT", "http"],
    ["APP_LOG_LEVEL", "LOUD"],
    ["APP_ENVIRONMENT", "moon"],
    ["APP_API_URL", "javascript:alert(1)"],
    ["APP_API_URL", "//evil.example.com"],
    ["APP_API_URL", "/api; script-src *"],
    ["APP_OTLP_ENDPOINT", "nowhere"],
  ])("%s=%s stops the start and is named", (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(SettingsError);
    expect(() => readSettings({ [name]: value })).toThrow(name);
  });
});

test("the browser is told where to send traces, never where the collector is", () => {
  const settings = readSettings({
    APP_API_URL: "/api",
    APP_OTLP_ENDPOINT: "http://collector:4318",
  });
  expect(runtimeConfig(settings)).toEqual({
    environment: "local",
    apiUrl: "/api",
    tracesUrl: "/otlp/v1/traces",
  });
});
