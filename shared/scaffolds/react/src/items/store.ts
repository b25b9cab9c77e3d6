/** Where items are kept: the port that the pages use, the API behind it, and a stand-in without one. */
import { NOTHING, request, RequestError } from "../http";
import { Item, ItemPage, type NewItem } from "./model";

/** Keeps items in the order in which they were added. Every method may throw RequestError. */
export interface ItemStore {
  /** Return up to `limit` items after the first `offset`, and how many there are in all. */
  page(offset: number, limit: number): Promise<ItemPage>;
  add(item: NewItem): Promise<Item>;
  remove(id: string): Promise<void>;
}

/** Items of an API: `GET /items`, `POST /items`, `DELETE /items/{item_id}`. */
export class ApiItems implements ItemStore {
  readonly #url: string;

  constructor(apiUrl: string) {
    this.#url = `${apiUrl.replace(/\/+$/, "")}/items`;
  }

  page(offset: number, limit: number): Promise<ItemPage> {
    return request("GET", `${this.#url}?offset=${offset}&limit=${limit}`, "/items", ItemPage);
  }

  add(item: NewItem): Promise<Item> {
    return request("POST", this.#url, "/items", Item, item);
  }

  async remove(id: string): Promise<void> {
    await request("DELETE", `${this.#url}/${encodeURIComponent(id)}`, "/items/{item_id}", NOTHING);
  }
}

/** Forgets everything when the page is closed; used where no API is configured. */
export class InMemoryItems implements ItemStore {
  readonly #items = new Map<string, Item>();
  #added = 0;

  page(offset: number, limit: number): Promise<ItemPage> {
    const items = [...this.#items.values()];
    return Promise.resolve({ items: items.slice(offset, offset + limit), total: items.length });
  }

  add(item: NewItem): Promise<Item> {
    this.#added += 1;
    const id = `item-${this.#added}`;
    const kept = { id, ...item, created_at: new Date().toISOString() };
    this.#items.set(id, kept);
    return Promise.resolve(kept);
  }

  remove(id: string): Promise<void> {
    if (this.#items.delete(id)) return Promise.resolve();
    return Promise.reject(
      new RequestError(`There is no item ${id}.`, { status: 404, correlationId: id }),
    );
  }
}
