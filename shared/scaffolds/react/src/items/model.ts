/** What an item is, and which input may become one. */
import { z } from "../schema";

/** An item as the API keeps it; the price is in euro, as text so that no cent is lost. */
export const Item = z.object({
  id: z.string().min(1),
  name: z.string(),
  price: z.union([z.string(), z.number()]).transform(String),
  created_at: z.iso.datetime({ offset: true }),
});
export type Item = Readonly<z.infer<typeof Item>>;

/** A page of items, oldest first. */
export const ItemPage = z.object({ items: z.array(Item), total: z.int().min(0) });
export interface ItemPage {
  readonly items: readonly Item[];
  /** Number of items over all pages. */
  readonly total: number;
}

/** What a person fills in. */
export const NewItem = z.object({
  name: z
    .string()
    .trim()
    .min(1, { error: "Enter a name." })
    .max(100, { error: "Use at most 100 characters." }),
  price: z
    .string()
    .trim()
    .min(1, { error: "Enter a price." })
    .transform((price) => price.replace(",", "."))
    .refine((price) => /^\d{1,10}(\.\d{1,2})?$/.test(price), {
      error: "Enter a price from 0 with up to two decimals, for example 12.50.",
    }),
});
export type NewItem = Readonly<z.infer<typeof NewItem>>;
export type Field = keyof NewItem;
export type FieldErrors = Partial<Record<Field, string>>;

/** Return the item that was filled in, or what is wrong with each field. */
export function readNewItem(
  filled: Readonly<Record<Field, string>>,
): { readonly item: NewItem } | { readonly errors: FieldErrors } {
  const read = NewItem.safeParse(filled);
  if (read.success) return { item: read.data };
  const { name, price } = z.flattenError(read.error).fieldErrors;
  return {
    errors: { ...(name?.[0] && { name: name[0] }), ...(price?.[0] && { price: price[0] }) },
  };
}
