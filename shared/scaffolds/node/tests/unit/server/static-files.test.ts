import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { StaticFiles } from "../../../server/static-files";
import { builtFiles } from "../../serving";

const PLAIN = { acceptEncoding: undefined, ifNoneMatch: undefined };
const SCRIPT = "/assets/app-1a2b.js";

test("a folder without a page is refused", () => {
  const empty = mkdtempSync(join(tmpdir(), "empty-"));
  expect(() => new StaticFiles(empty)).toThrow("run the build first");
});

test("files are sent with their type, and only named assets are kept by caches", () => {
  const files = new StaticFiles(builtFiles());
  expect(files.answer("/index.html", PLAIN)).toMatchObject({
    status: 200,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache" },
  });
  expect(files.answer(SCRIPT, PLAIN)?.headers["Cache-Control"]).toContain("immutable");
  expect(files.answer("/icon.png", PLAIN)?.headers["Content-Type"]).toBe("image/png");
});

test.each(["/", "/none.js", "/../package.json", "/assets", "__proto__"])(
  "%s is no file",
  (path) => {
    expect(new StaticFiles(builtFiles()).answer(path, PLAIN)).toBeUndefined();
  },
);

test.each([
  ["gzip, br", "br"],
  ["gzip, br;q=0", "gzip"],
  ["*", "br"],
  ["identity", undefined],
  ["gzip;q=nonsense", undefined],
])("Accept-Encoding %j gets %j", (acceptEncoding, encoding) => {
  const files = new StaticFiles(builtFiles());
  const answer = files.answer(SCRIPT, { ...PLAIN, acceptEncoding });
  expect(answer?.headers["Content-Encoding"]).toBe(encoding);
  const body = answer?.body as Uint8Array;
  const plain = encoding === "br" ? brotliDecompressSync(body) : encoding ? gunzipSync(body) : body;
  expect(Buffer.from(plain).toString()).toMatch(/^export \{\};\n/);
});

test("what is compressed already is left as it is", () => {
  const answer = new StaticFiles(builtFiles()).answer("/icon.png", {
    ...PLAIN,
    acceptEncoding: "br",
  });
  expect(answer?.headers).not.toHaveProperty("Content-Encoding");
});

test("a caller who has the file is not sent it again", () => {
  const files = new StaticFiles(builtFiles());
  const etag = files.answer(SCRIPT, PLAIN)?.headers["ETag"] ?? "";
  const again = files.answer(SCRIPT, { ...PLAIN, ifNoneMatch: `"other", W/${etag}` });
  expect(again).toMatchObject({ status: 304, body: "" });
  expect(files.answer(SCRIPT, { ...PLAIN, ifNoneMatch: '"other"' })?.status).toBe(200);
});
