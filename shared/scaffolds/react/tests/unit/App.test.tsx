// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";

import { NAME, VERSION } from "../../src/about";
import { App } from "../../src/App";
import type { RuntimeConfig } from "../../src/config";
import { InMemoryItems } from "../../src/items/store";
import { violations } from "../accessibility";

const CONFIG: RuntimeConfig = { environment: "production", apiUrl: "/api", tracesUrl: null };

function show(config: Partial<RuntimeConfig> = {}, path = "/", items = new InMemoryItems()) {
  return render(<App config={{ ...CONFIG, ...config }} items={items} path={path} />);
}

describe("the frame", () => {
  test("names the application, its version and nothing of the environment in production", async () => {
    show();
    await screen.findByText(/no items yet/);
    expect(screen.getByRole("banner").textContent).toBe(NAME);
    expect(screen.getByRole("contentinfo")).toHaveTextContent(VERSION);
    expect(screen.queryByText(/No API is configured/)).not.toBeInTheDocument();
  });

  test("names the environment elsewhere, and says when nothing is kept", async () => {
    show({ environment: "staging", apiUrl: null });
    await screen.findByText(/no items yet/);
    expect(screen.getByRole("banner")).toHaveTextContent("staging");
    expect(screen.getByText(/No API is configured/)).toBeVisible();
  });

  test("lets the keyboard skip to the content", async () => {
    const { container } = show();
    await screen.findByText(/no items yet/);
    expect(screen.getByRole("link", { name: "Skip to content" })).toHaveAttribute(
      "href",
      "#content",
    );
    expect(screen.getByRole("main")).toHaveAttribute("id", "content");
    expect(await violations(container)).toEqual([]);
  });
});

test("an unknown address says so and shows the way", () => {
  show({}, "/nowhere");
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Page not found");
  expect(screen.getByRole("link", { name: "Go to the items" })).toHaveAttribute("href", "/");
});

test("a page that fails to render leaves a way on", async () => {
  // React repeats on the console what the boundary has caught.
  vi.spyOn(console, "error").mockReturnValue();
  const items = new InMemoryItems();
  vi.spyOn(items, "page").mockRejectedValue(new TypeError("a defect"));
  show({}, "/", items);
  expect(await screen.findByRole("alert")).toHaveTextContent("This page failed");
  expect(screen.getByRole("button", { name: "Reload the page" })).toBeVisible();
  expect(screen.getByRole("banner")).toBeVisible();
});
