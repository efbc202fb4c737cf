import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  // Other lock files further up are none of ours.
  turbopack: { root: import.meta.dirname },
  outputFileTracingRoot: import.meta.dirname,
  // A stopped `npm run dev` leaves it in pieces at times, and an application of this size gains nothing by it.
  experimental: { turbopackFileSystemCacheForDev: false },
  async headers() {
    const headers = [
      { key: "Content-Security-Policy", value: "frame-ancestors 'none'; base-uri 'none'; object-src 'none'" },
      { key: "Referrer-Policy", value: "same-origin" },
      { key: "X-Content-Type-Options", value: "nosniff" },
    ];
    return [{ source: "/:path*", headers }];
  },
};

export default config;
