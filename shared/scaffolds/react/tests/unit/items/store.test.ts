import { expect, test } from "vitest";

import { RequestError } from "../../../src/http";
import { InMemoryItems } from "../../../src/items/store";

test("items are kept in the order in which they came, and returned in pages", async () => {
  const store = new InMemoryItems();
  for (const name of ["a", "b", "c"]) await store.add({ name, price: "1" });
  const page = await store.page(1, 1);
  expect(page.total).toBe(3);
  expect(page.items.map(({ name }) => name)).toEqual(["b"]);
});

test("a removed item is gone, and cannot be removed again", async () => {
  const store = new InMemoryItems();
  const { id } = await store.add({ name: "a", price: "1" });
  await store.remove(id);
  expect(await store.page(0, 10)).toEqual({ items: [], total: 0 });
  await expect(store.remove(id)).rejects.toThrow(RequestError);
});
