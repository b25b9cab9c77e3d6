import { describe, expect, test } from "vitest";

import { Item, readNewItem } from "../../../src/items/model";

describe("readNewItem", () => {
  test.each([
    [" Lamp ", "12.50", { name: "Lamp", price: "12.50" }],
    ["灯 😀", "0", { name: "灯 😀", price: "0" }],
    ["Lamp", " 3,5 ", { name: "Lamp", price: "3.5" }],
    ["x".repeat(100), "9999999999.99", { name: "x".repeat(100), price: "9999999999.99" }],
  ])("takes %j at %j", (name, price, item) => {
    expect(readNewItem({ name, price })).toEqual({ item });
  });

  test.each([
    ["", "1", { name: "Enter a name." }],
    ["  ", "1", { name: "Enter a name." }],
    ["x".repeat(101), "1", { name: "Use at most 100 characters." }],
    ["Lamp", "", { price: "Enter a price." }],
  ])("refuses %j at %j and says why", (name, price, errors) => {
    expect(readNewItem({ name, price })).toEqual({ errors });
  });

  test.each(["-1", "1.234", "1e3", "free", "1,000.00", "12345678901", "NaN", "١"])(
    "refuses the price %j with an example",
    (price) => {
      const read = readNewItem({ name: "Lamp", price });
      expect(read).toMatchObject({ errors: { price: expect.stringContaining("12.50") as string } });
      expect(read).not.toHaveProperty("errors.name");
    },
  );

  test("names every field that is wrong", () => {
    expect(readNewItem({ name: "", price: "" })).toEqual({
      errors: { name: "Enter a name.", price: "Enter a price." },
    });
  });
});

test("a price keeps its cents whether it comes as text or as a number", () => {
  const rest = { id: "1", name: "Lamp", created_at: "2026-01-31T12:00:00.5+00:00" };
  expect(Item.parse({ ...rest, price: "12.50" }).price).toBe("12.50");
  expect(Item.parse({ ...rest, price: 7 }).price).toBe("7");
});
