// @vitest-environment jsdom
import { render, screen, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";

import { RequestError } from "../../../src/http";
import { ItemsPage } from "../../../src/items/ItemsPage";
import { InMemoryItems, type ItemStore } from "../../../src/items/store";
import { PAGE_SIZE } from "../../../src/items/useItems";
import { violations } from "../../accessibility";

async function storeWith(...names: string[]): Promise<InMemoryItems> {
  const store = new InMemoryItems();
  for (const name of names) await store.add({ name, price: "12.5" });
  return store;
}

/** A store in which one thing fails as long as the test wants. */
async function failing(
  method: keyof ItemStore,
  error: Error,
  ...names: string[]
): Promise<{ store: ItemStore; mend: () => void }> {
  const store = await storeWith(...names);
  const spy = vi.spyOn(store, method).mockRejectedValue(error);
  return {
    store,
    mend: () => {
      spy.mockRestore();
    },
  };
}

const AWAY = new RequestError("The service could not be reached.", { correlationId: "ref-1" });

function names(): (string | null)[] {
  return screen
    .queryAllByRole("listitem")
    .map((item) => item.querySelector(".name")?.textContent ?? null);
}

async function fillIn(name: string, price: string): Promise<void> {
  const user = userEvent.setup();
  if (name) await user.type(screen.getByLabelText("Name"), name);
  if (price) await user.type(screen.getByLabelText("Price in euro"), price);
  await user.click(screen.getByRole("button", { name: "Add" }));
}

describe("the list", () => {
  test("says that it is loading, and then what there is", async () => {
    render(<ItemsPage store={await storeWith("Lamp")} />);
    expect(screen.getByText("Loading…")).toBeVisible();
    const item = await screen.findByRole("listitem");
    expect(within(item).getByText("Lamp")).toBeVisible();
    expect(within(item).getByText("€12.50")).toBeVisible();
    expect(screen.queryByText("Loading…")).not.toBeInTheDocument();
  });

  test("says that there is nothing yet", async () => {
    render(<ItemsPage store={new InMemoryItems()} />);
    expect(await screen.findByText(/no items yet/)).toBeVisible();
  });

  test("says that it could not be loaded, what to quote, and loads on request", async () => {
    const { store, mend } = await failing("page", AWAY, "Lamp");
    render(<ItemsPage store={store} />);
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("could not be reached");
    expect(alert).toHaveTextContent("ref-1");
    mend();
    await userEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("Lamp")).toBeVisible();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("shows a page at a time", async () => {
    const all = Array.from({ length: PAGE_SIZE + 3 }, (_, index) => `Item ${index + 1}`);
    render(<ItemsPage store={await storeWith(...all)} />);
    await screen.findByText(`${PAGE_SIZE} of ${PAGE_SIZE + 3} shown`);
    expect(names()).toEqual(all.slice(0, PAGE_SIZE));
    await userEvent.click(screen.getByRole("button", { name: "Show more" }));
    await screen.findByText(`${PAGE_SIZE + 3} of ${PAGE_SIZE + 3} shown`);
    expect(names()).toEqual(all);
    expect(screen.queryByRole("button", { name: "Show more" })).not.toBeInTheDocument();
  });

  test("an item is removed, which is announced, and the focus is not lost", async () => {
    render(<ItemsPage store={await storeWith("Lamp", "Chair")} />);
    await userEvent.click(await screen.findByRole("button", { name: "Remove Lamp" }));
    expect(await screen.findByRole("status")).toHaveTextContent("Removed Lamp.");
    expect(names()).toEqual(["Chair"]);
    expect(screen.getByRole("heading", { name: "All items" })).toHaveFocus();
  });

  test("an item that could not be removed stays, with the reason", async () => {
    const { store } = await failing("remove", AWAY, "Lamp");
    render(<ItemsPage store={store} />);
    await userEvent.click(await screen.findByRole("button", { name: "Remove Lamp" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("could not be reached");
    expect(names()).toEqual(["Lamp"]);
  });
});

describe("the form", () => {
  test("adds an item, announces it and is ready for the next", async () => {
    render(<ItemsPage store={await storeWith("Lamp")} />);
    await screen.findByText("Lamp");
    await fillIn("Chair", "40");
    expect(await screen.findByText("€40.00")).toBeVisible();
    expect(names()).toEqual(["Lamp", "Chair"]);
    expect(screen.getByRole("status")).toHaveTextContent("Added Chair.");
    expect(screen.getByLabelText("Name")).toHaveValue("");
    expect(screen.getByLabelText("Name")).toHaveFocus();
  });

  test("says what is wrong beside the field, and puts the focus on the first one", async () => {
    const store = new InMemoryItems();
    render(<ItemsPage store={store} />);
    await screen.findByText(/no items yet/);
    await fillIn("Chair", "cheap");
    const price = screen.getByLabelText("Price in euro");
    expect(price).toBeInvalid();
    expect(price).toHaveAccessibleDescription(/For example 12.50\. Enter a price from 0/);
    expect(price).toHaveFocus();
    expect(screen.getByLabelText("Name")).toBeValid();
    expect((await store.page(0, 1)).total).toBe(0);
  });

  test("shows at its field what the API refused", async () => {
    const refused = new RequestError("Unusable values.", {
      status: 422,
      correlationId: "ref-2",
      fields: [{ pointer: "/body/name", detail: "This name is taken." }],
    });
    const { store } = await failing("add", refused);
    render(<ItemsPage store={store} />);
    await fillIn("Chair", "40");
    const name = await screen.findByRole("textbox", { name: "Name", description: /is taken/ });
    expect(name).toBeInvalid();
    expect(name).toHaveFocus();
    expect(name).toHaveValue("Chair");
  });

  test("keeps what was filled in when the item could not be added", async () => {
    const { store } = await failing("add", AWAY);
    render(<ItemsPage store={store} />);
    await fillIn("Chair", "40");
    expect(await screen.findByRole("alert")).toHaveTextContent("The item was not added");
    expect(screen.getByLabelText("Name")).toHaveValue("Chair");
    expect(screen.getByRole("button", { name: "Add" })).toHaveAttribute("aria-disabled", "false");
  });

  test("adds once however often it is sent", async () => {
    const store = new InMemoryItems();
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const add = vi.spyOn(store, "add");
    add.mockImplementation(async (item) => {
      await held;
      return { id: "1", ...item, created_at: "2026-01-31T12:00:00Z" };
    });
    render(<ItemsPage store={store} />);
    await screen.findByText(/no items yet/);
    await fillIn("Chair", "40");
    await userEvent.click(screen.getByRole("button", { name: "Adding…" }));
    finish();
    expect(await screen.findByText("Chair")).toBeVisible();
    expect(add).toHaveBeenCalledTimes(1);
  });
});

describe("accessibility", () => {
  test("the page with items and errors breaks no rule", async () => {
    const { container } = render(
      <main>
        <ItemsPage store={await storeWith("Lamp")} />
      </main>,
    );
    await screen.findByText("Lamp");
    await fillIn("", "");
    expect(screen.getByLabelText("Name")).toBeInvalid();
    expect(await violations(container)).toEqual([]);
  });

  test("the page that failed breaks no rule", async () => {
    const { store } = await failing("page", AWAY);
    const { container } = render(
      <main>
        <ItemsPage store={store} />
      </main>,
    );
    await screen.findByRole("alert");
    expect(await violations(container)).toEqual([]);
  });
});
