/** The list on the page: what of it is loaded, and what may be done with it. */
import { useCallback, useEffect, useState } from "react";

import { RequestError } from "../http";
import type { Item, NewItem } from "./model";
import type { ItemStore } from "./store";

export const PAGE_SIZE = 20;

/** What went wrong, in words for people. */
export interface Failure {
  readonly message: string;
  readonly correlationId: string;
}

/** The state of the list. */
export type Items =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly failure: Failure }
  | { readonly state: "ready"; readonly items: readonly Item[]; readonly total: number };

/** Load the items of `store`, and return them with what may be done with them. */
export function useItems(store: ItemStore): {
  list: Items;
  /** Load the list again from its start. */
  reload: () => void;
  /** Load the next page; throws RequestError. */
  more: () => Promise<void>;
  /** Add an item; throws RequestError. */
  add: (item: NewItem) => Promise<Item>;
  /** Remove an item; throws RequestError. */
  remove: (id: string) => Promise<void>;
} {
  const [list, setList] = useState<Items>({ state: "loading" });
  const [attempt, setAttempt] = useState(0);
  const [broken, setBroken] = useState<{ readonly error: unknown }>();

  useEffect(() => {
    let wanted = true;
    store.page(0, PAGE_SIZE).then(
      (page) => {
        if (wanted) setList({ state: "ready", ...page });
      },
      (error: unknown) => {
        if (!wanted) return;
        if (error instanceof RequestError) setList({ state: "failed", failure: error });
        else setBroken({ error });
      },
    );
    return () => {
      wanted = false;
    };
  }, [store, attempt]);

  const shown = list.state === "ready" ? list.items.length : 0;
  const reload = useCallback(() => {
    setList({ state: "loading" });
    setAttempt((count) => count + 1);
  }, []);
  const more = useCallback(async () => {
    const page = await store.page(shown, PAGE_SIZE);
    setList((now) => {
      if (now.state !== "ready") return now;
      const known = new Set(now.items.map((item) => item.id));
      const added = page.items.filter((item) => !known.has(item.id));
      return { ...now, items: [...now.items, ...added], total: page.total };
    });
  }, [store, shown]);
  const add = useCallback(
    async (item: NewItem) => {
      const kept = await store.add(item);
      setList((now) =>
        // An item beyond the pages shown appears when they are loaded.
        now.state !== "ready"
          ? now
          : {
              ...now,
              items: now.items.length === now.total ? [...now.items, kept] : now.items,
              total: now.total + 1,
            },
      );
      return kept;
    },
    [store],
  );
  const remove = useCallback(
    async (id: string) => {
      await store.remove(id);
      setList((now) =>
        now.state !== "ready"
          ? now
          : { ...now, items: now.items.filter((item) => item.id !== id), total: now.total - 1 },
      );
    },
    [store],
  );
  // Thrown while rendering, so that the page's boundary shows it.
  if (broken !== undefined) throw broken.error;

  return { list, reload, more, add, remove };
}
