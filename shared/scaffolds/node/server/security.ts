/** The headers by which browsers limit what a page may do, and what others may do with it. */
import type { Settings } from "./settings";

/** Return the headers of every answer. The policy allows this origin, and the API's when it is another. */
export function securityHeaders(settings: Pick<Settings, "apiUrl">): Record<string, string> {
  const connect = ["'self'"];
  if (settings.apiUrl !== null && !settings.apiUrl.startsWith("/")) {
    connect.push(new URL(settings.apiUrl).origin);
  }
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src ${connect.join(" ")}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ];
  return {
    "Content-Security-Policy": policy.join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    // Browsers heed it over TLS only, so it does no harm on a laptop.
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
  };
}
