/** The built files, read once: a request can name nothing but them, and a read-only disk is enough. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import type { Answer } from "./answer";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};
const COMPRESSED_ALREADY: ReadonlySet<string> = new Set([".ico", ".png", ".webp", ".woff2"]);

type Encoding = "br" | "gzip" | "identity";

interface StaticFile {
  readonly mediaType: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly bodies: Readonly<Partial<Record<Encoding, Uint8Array>>>;
}

function load(folder: string, path: string): StaticFile {
  const body = readFileSync(join(folder, path));
  const extension = extname(path);
  const bodies: Partial<Record<Encoding, Uint8Array>> = { identity: body };
  if (!COMPRESSED_ALREADY.has(extension)) {
    bodies.gzip = gzipSync(body);
    // The highest quality takes seconds a megabyte, and a pod's start waits for it.
    bodies.br = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 7 } });
  }
  return {
    mediaType: MEDIA_TYPES[extension] ?? "application/octet-stream",
    // The names in assets/ hold a digest of their content; other names stay while contents change.
    cacheControl: path.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
    bodies,
  };
}

function encodingFor(file: StaticFile, accepted: string | undefined): Encoding {
  const offered = new Map<string, number>();
  for (const part of (accepted ?? "").split(",")) {
    const [name = "", quality = "q=1"] = part
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    offered.set(name, Number(quality.replace(/^q=/, "")) || 0);
  }
  for (const encoding of ["br", "gzip"] as const) {
    if (encoding in file.bodies && (offered.get(encoding) ?? offered.get("*") ?? 0) > 0) {
      return encoding;
    }
  }
  return "identity";
}

/** What of a request decides how a file is sent. */
export interface FileRequest {
  readonly acceptEncoding: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** The files of one folder. */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  /** Read every file of `folder`; throws when there is no index.html among them. */
  constructor(folder: string) {
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
    if (!found.includes("index.html")) {
      throw new Error(`${folder} holds no index.html: run the build first`);
    }
    this.#files = new Map(found.map((path) => [`/${path}`, load(folder, path)]));
  }

  /** Return the answer that sends the file at the URL path `path`, or undefined when there is none. */
  answer(path: string, request: FileRequest): Answer | undefined {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const headers = {
      "Cache-Control": file.cacheControl,
      ETag: file.etag,
      Vary: "Accept-Encoding",
    };
    const known = (request.ifNoneMatch ?? "")
      .split(",")
      .map((tag) => tag.trim().replace(/^W\//, ""));
    if (known.includes(file.etag) || known.includes("*")) return { status: 304, headers, body: "" };
    const encoding = encodingFor(file, request.acceptEncoding);
    return {
      status: 200,
      headers: {
        ...headers,
        "Content-Type": file.mediaType,
        ...(encoding === "identity" ? {} : { "Content-Encoding": encoding }),
      },
      body: file.bodies[encoding] ?? "",
    };
  }
}
