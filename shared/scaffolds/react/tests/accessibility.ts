/** What axe finds wrong with a page, in words. Contrast needs a real browser and is left to review. */
import axe from "axe-core";

/** Return the violations in `element`; none is what a test expects. */
export async function violations(element: Element): Promise<string[]> {
  const found = await axe.run(element, { rules: { "color-contrast": { enabled: false } } });
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.length})`);
}
